import js from '@eslint/js'
import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import ts from 'typescript-eslint'
import svelteConfig from './svelte.config.js'

export default ts.config(
  { ignores: ['dist/', '.stories/', 'src/bindings.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  {
    rules: {
      // Svelte's compiler and svelte-check know which names exist.
      'no-undef': 'off',
      'svelte/no-at-html-tags': 'error',
      // State is said to be reactive where it is meant to be; a plain Map or Set elsewhere is meant to be plain.
      'svelte/prefer-svelte-reactivity': 'off',
      'no-restricted-properties': ['error', { property: 'innerHTML' }, { property: 'outerHTML' }],
    },
  },
  {
    // One file knows the program behind the window, so that tests and a browser can stand in for it.
    files: ['src/**', 'stories/**'],
    ignores: ['src/api.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@tauri-apps/*', '**/bindings'], message: 'only api.ts knows Tauri' }] },
      ],
    },
  },
)
