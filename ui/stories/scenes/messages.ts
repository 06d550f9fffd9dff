// What was said in the topic that is shown, and what waits to be sent.
import type { Block, MessageView } from '../../src/api'
import { message, paragraph } from '../../src/testing/views'
import { at, pick, text, type Tongue } from './words'

export function rows(lang: Tongue): MessageView[] {
  const s = pick(lang)
  const fawn = { id: 'fawn', name: s('林间鹿', 'Fawn'), tag: s('版主', 'Moderator'), mark: 'owner' as const }
  const kestrel = { id: 'kes', name: 'Kestrel', tag: null }
  const ash = { id: 'ash-11', name: s('阿澈', 'Ash'), tag: null }
  const rich: Block[] = [
    { type: 'paragraph', lang: null, inlines: [text(s('打法:', 'How to:'))] },
    {
      type: 'list',
      isNumbered: true,
      items: [
        {
          mark: '1.',
          value: 1,
          blocks: [
            {
              type: 'paragraph',
              lang: null,
              inlines: [
                { type: 'bold', inlines: [text(s('P2 转阶段', 'P2'))] },
                text(s('全员靠右', ' everyone stack right')),
              ],
            },
          ],
        },
        {
          mark: '2.',
          value: 2,
          blocks: [
            {
              type: 'paragraph',
              lang: null,
              inlines: [text(s('副坦先开', 'off-tank ')), { type: 'code', inlines: [text('mitigate')] }],
            },
          ],
        },
      ],
    },
    { type: 'quote', blocks: [paragraph(s('奶妈站 2 点钟方向', 'healer stands at 2 o’clock'))] },
    { type: 'code', language: 'lua', inlines: [text('local boss = find("abyss")\nboss:pull(3)')] },
  ]
  return [
    message('m1', 1, '', {
      author: fawn,
      sentAt: at(20, 14),
      blocks: [
        {
          type: 'paragraph',
          lang: null,
          inlines: [
            text(
              s(
                '今晚九点星海深渊,缺一个奶妈和一个副坦,区服 ',
                'Starsea Abyss tonight at nine. Need one healer and an off-tank, server ',
              ),
            ),
            { type: 'code', inlines: [text(s('华东-3', 'east-3'))] },
            text(s(',有意回复我。', '. Reply if you are in.')),
          ],
        },
      ],
      reactions: [
        { key: '🙋', count: 3, isMine: true },
        { key: '🔥', count: 7, isMine: false },
      ],
      isPinned: true,
    }),
    message('m2', 2, s('I can heal. 装备分 4120,上周通关过。', 'I can heal. Gear 4120, cleared it last week.'), {
      author: kestrel,
      sentAt: at(20, 15),
      isEdited: true,
      reply: {
        id: 'm1',
        author: fawn,
        excerpt: s('今晚九点星海深渊,缺一个奶妈…', 'Starsea Abyss tonight at nine…'),
        isRecalled: false,
      },
    }),
    message('m3', 3, s('几点集合?', 'When do we meet?'), { author: kestrel, sentAt: at(20, 16) }),
    message('m4', 4, '', {
      author: ash,
      sentAt: at(20, 17),
      recalled: { by: ash.name, isByAuthor: true },
      actions: [],
    }),
    message('m5', 5, '', {
      author: ash,
      sentAt: at(20, 21),
      mentionsMe: true,
      blocks: [
        {
          type: 'paragraph',
          lang: null,
          inlines: [
            { type: 'mention', account: 'me', name: s('夏至', 'Solstice'), isMe: true },
            text(s(' 上次的打法整理好了,转给你看看', ' wrote up last run, have a look')),
          ],
        },
      ],
    }),
    message('m6', 6, '', { author: ash, sentAt: at(20, 22), blocks: rich }),
    message('m7', 7, '', {
      author: kestrel,
      sentAt: at(20, 24),
      blocks: [
        {
          type: 'paragraph',
          lang: null,
          inlines: [
            text(s('结局是 ', 'It ends with ')),
            { type: 'spoiler', inlines: [text(s('船长就是深渊', 'the captain being the abyss'))] },
            text(' · '),
            {
              type: 'link',
              target: {
                href: 'https://example.org/abyss',
                kind: 'web',
                place: 'example.org',
                isNamed: false,
                doubts: [],
              },
              inlines: [text('example.org/abyss')],
            },
          ],
        },
      ],
      reactions: [{ key: '😮', count: 2, isMine: false }],
    }),
  ]
}

export function mine(lang: Tongue, id: string, value: string, more: Partial<MessageView>): MessageView {
  return message(id, null, value, {
    author: { id: 'me', name: pick(lang)('夏至', 'Solstice'), tag: null },
    sentAt: at(20, 26),
    isMine: true,
    delivery: { state: 'sending' },
    actions: ['edit', 'recall'],
    ...more,
  })
}
