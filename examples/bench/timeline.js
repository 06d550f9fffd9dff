// The page's side of `bench timeline`: watches a message from frame to frame, and scrolls.
;(() => {
  const list = () => document.querySelector('[data-testid="timeline"]')
  const rows = () => [...list().querySelectorAll('[data-message-id]')]
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
  // An observer of sizes that was made in a frame is heard after all others, when what is to be drawn is settled.
  const probe = document.body.appendChild(document.createElement('i'))
  const drawn = () =>
    new Promise((resolve) =>
      requestAnimationFrame(() => {
        const observer = new ResizeObserver(() => {
          observer.disconnect()
          resolve()
        })
        observer.observe(probe)
      }),
    )
  const seqOf = (row) => Number(row.dataset.seq)
  const topOf = (row) => row.getBoundingClientRect().top - list().getBoundingClientRect().top

  /** The first message that begins in view. */
  const first = () =>
    rows()
      .filter((row) => row.dataset.seq && topOf(row) >= 0)
      .sort((a, b) => topOf(a) - topOf(b))[0]

  let watched = null

  async function watch(mine) {
    while (watched === mine) {
      await drawn()
      if (watched !== mine) return
      const row = document.querySelector(`[data-message-id="${CSS.escape(mine.id)}"]`)
      const off = row ? Math.abs(topOf(row) - mine.top) : 100_000
      mine.frames += 1
      if (off > mine.drift) {
        mine.drift = off
        mine.at = mine.events.slice(-3).join(', ')
      }
    }
  }

  async function still() {
    for (let count = 0, last = -1; count < 8; ) {
      await frame()
      count = list().scrollHeight === last ? count + 1 : 0
      last = list().scrollHeight
    }
  }

  globalThis.bench = {
    /** Opens a topic, goes to its newest message and tells which that is. */
    async open(topic) {
      const line = document.querySelector(`[data-topic-id="${CSS.escape(topic)}"]`)
      line.click()
      const isOpen = () => line.getAttribute('aria-selected') === 'true' && list() && rows().length > 0
      while (!isOpen()) await frame()
      return globalThis.bench.newest()
    },
    /** Goes to the newest message. */
    async newest() {
      document.querySelector('[data-testid="jump-newest"]')?.click()
      await still()
      return seqOf(rows().at(-1))
    },
    /** Scrolls by so much, waits until nothing more is fetched, and tells which message is first. */
    async place(by) {
      watched = null
      list().scrollBy({ top: by, behavior: 'instant' })
      await still()
      const below = list().scrollHeight - list().scrollTop - list().clientHeight
      if (below < 1_200) list().scrollBy({ top: below - 1_200, behavior: 'instant' })
      await still()
      return seqOf(first())
    },
    /** Goes up to where a page is about to be fetched. */
    async reach() {
      const far = list().scrollTop - 500
      if (far > 0) list().scrollBy({ top: -far, behavior: 'instant' })
      await drawn()
    },
    /** From here on the first message should not move. */
    watch(name) {
      const row = first()
      watched = { id: row.dataset.messageId, top: topOf(row), drift: 0, at: '', frames: 0, events: [name] }
      void watch(watched)
      return seqOf(row)
    },
    /** Something is about to happen. */
    note(name) {
      watched?.events.push(name)
    },
    /** How far it moved at most, and after what. */
    seen() {
      const { drift, at, frames } = watched
      watched = null
      return { drift, at, frames }
    },
    /** Scrolls up to the first message; heights by seq, and how long each frame took. */
    async up(step) {
      const heights = {}
      const took = []
      let waited = 0
      for (let last = performance.now(); waited < 240; ) {
        const before = list().scrollTop
        list().scrollBy({ top: -step, behavior: 'instant' })
        await frame()
        const now = performance.now()
        took.push(now - last)
        last = now
        for (const row of rows())
          if (row.dataset.seq) heights[row.dataset.seq] = row.parentElement.getBoundingClientRect().height
        const isDone = document.querySelector('[data-testid="topic-start"]') !== null && list().scrollTop === 0
        if (isDone) break
        waited = list().scrollTop === before ? waited + 1 : 0
      }
      return { heights: Object.entries(heights).map(([seq, px]) => [Number(seq), px]), took }
    },
    /** Scrolls the same way through plain boxes of the same heights. */
    async bare(heights, step) {
      const box = document.createElement('div')
      box.style.cssText = 'position:fixed;inset:0;overflow-y:auto;background:Canvas;z-index:99'
      for (const [seq, px] of heights) {
        const line = document.createElement('div')
        line.style.height = `${px}px`
        line.textContent = String(seq)
        box.append(line)
      }
      document.body.append(box)
      box.scrollTop = box.scrollHeight
      await frame()
      await frame()
      const took = []
      for (let last = performance.now(); box.scrollTop > 0; ) {
        box.scrollBy({ top: -step, behavior: 'instant' })
        await frame()
        const now = performance.now()
        took.push(now - last)
        last = now
      }
      box.remove()
      return { took }
    },
    /** Days as long as this, so that separators come and go. */
    days(ms) {
      Date.prototype.toDateString = function () {
        return `day ${Math.floor(this.getTime() / ms)}`
      }
    },
  }
})()
