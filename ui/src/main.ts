import { mount } from 'svelte'
import { tauri } from './api'
import App from './App.svelte'
import './app.css'

const target = document.getElementById('app')
if (!target) throw new Error('the page has no #app')
mount(App, { target, props: { api: tauri } })
