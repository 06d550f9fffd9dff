import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'
import { noCircles } from './circles.ts'

// The stories are an entry of their own and never part of the product: `npm run build` does not see them.
export default defineConfig({
  root: fileURLToPath(new URL('./stories', import.meta.url)),
  base: './',
  plugins: [svelte({ configFile: fileURLToPath(new URL('./svelte.config.js', import.meta.url)) }), noCircles()],
  clearScreen: false,
  server: { port: 1421, strictPort: true, host: '127.0.0.1', fs: { allow: ['..'] } },
  build: { target: 'safari16', outDir: '../.stories', emptyOutDir: true },
})
