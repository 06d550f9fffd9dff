// Links that lead into the community: in use, open to all, over, lapsed.
import type { InviteView } from '../../src/api'
import { pick, type Tongue } from './words'

export function invites(lang: Tongue): InviteView[] {
  const s = pick(lang)
  return [
    {
      code: 'A',
      link: 'tulou://join/192.168.1.20:4780/K7Q2-9XDM#sha256-Zk3v',
      expiresAt: Date.now() + 86_400_000,
      maxUses: 25,
      uses: 3,
      madeBy: s('林间鹿', 'Fawn'),
      came: [s('小满', 'Maple'), 'Kestrel', s('阿岚', 'Wren')],
      hasLapsed: false,
      madeAt: Date.now() - 3_600_000,
    },
    {
      code: 'B',
      link: 'tulou://join/192.168.1.20:4780/PQ4W-7KDA?id=0198c1d2e3f4&key=sha256-Zk3vWfQy7m1rJ0bT2sXcD9hN4uLpEa6g',
      expiresAt: null,
      maxUses: null,
      uses: 40,
      madeBy: '',
      came: Array.from({ length: 10 }, (_, no) => s(`候鸟${no + 1}`, `Swift ${no + 1}`)),
      hasLapsed: false,
      madeAt: Date.now() - 40 * 86_400_000,
    },
    {
      code: 'C',
      link: 'tulou://join/192.168.1.20:4780/3HQX-L2MN',
      expiresAt: Date.now() - 60_000,
      maxUses: 5,
      uses: 5,
      madeBy: 'Kestrel',
      came: [s('小满', 'Maple')],
      hasLapsed: false,
      madeAt: Date.now() - 7 * 86_400_000,
    },
    {
      code: 'D',
      link: 'tulou://join/192.168.1.20:4780/9XDM-PQ4W',
      expiresAt: null,
      maxUses: null,
      uses: 12,
      madeBy: s('旧友', 'Old friend'),
      came: [s('阿岚', 'Wren')],
      hasLapsed: true,
      madeAt: Date.now() - 30 * 86_400_000,
    },
  ]
}
