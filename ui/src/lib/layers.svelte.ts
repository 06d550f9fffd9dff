/** The dialogs that are open, the topmost last: it alone has a veil, and everything below it rests. */
class Layers {
  #open = $state.raw<readonly symbol[]>([])

  get isEmpty(): boolean {
    return this.#open.length === 0
  }

  isTop(layer: symbol): boolean {
    return this.#open.at(-1) === layer
  }

  /** Puts a dialog on top; gives what takes it away. */
  push(layer: symbol): () => void {
    this.#open = [...this.#open, layer]
    return () => {
      this.#open = this.#open.filter((other) => other !== layer)
    }
  }
}

export const layers = new Layers()
