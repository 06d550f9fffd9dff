// The states that a story can put a community into.
export { crowdedScene, longScene, namesScene } from './scenes/crowd'
export { emptyCommunityScene, emptyTopicScene, firstStartScene, noCommunityScene } from './scenes/empty'
export { fullScene } from './scenes/full'
export {
  asideScene,
  brokenScene,
  editsScene,
  listScene,
  offlineScene,
  rejectedScene,
  strandedScene,
} from './scenes/trouble'
export type { Tongue } from './scenes/words'
