/** A whole ensemble in one process, on virtual clock, network and disk. */
export { SeededRandom } from '../runtime/index.js';
export { VirtualClock } from './virtual-clock.js';
