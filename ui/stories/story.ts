// A story: what is there, and what is done with it before it is looked at.
import type { WindowState } from '../src/state/window.svelte'
import type { StandIn } from '../src/testing/stand-in'
import type { Tongue } from './scenes'

export type Scene = (lang: Tongue, theme: 'light' | 'dark') => StandIn
export type Story = { scene: Scene; then?: (window: WindowState) => void | Promise<void> }
