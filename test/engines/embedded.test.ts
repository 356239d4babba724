import { EmbeddedEngine } from './embedded-engine.js';
import { runOn } from './run-on.js';

runOn('embedded:', () => EmbeddedEngine.start());
