import { QuorateEngine } from './quorate-engine.js';
import { runOn } from './run-on.js';

runOn('an ensemble of three over ws://', () => QuorateEngine.start());
