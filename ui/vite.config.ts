import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'
import { noCircles } from './circles.ts'

export default defineConfig({
  plugins: [svelte(), noCircles()],
  clearScreen: false,
  server: { port: 1420, strictPort: true, host: '127.0.0.1' },
  envPrefix: ['VITE_', 'TAURI_ENV_'],
  // The lists of emoji, the only large ones, are loaded when a picker is opened.
  build: {
    target: 'safari16',
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: false,
    chunkSizeWarningLimit: 600,
  },
  // Tests run Svelte's browser build, so that effects and lifecycle hooks do what they do in the window.
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  test: {
    // A busy machine takes its time; what hangs is found all the same.
    testTimeout: 30_000,
    environment: 'jsdom',
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/testing/setup.ts'],
  },
})
