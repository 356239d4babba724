import type { PeerState } from './peer-state.js';
import type { Role } from './role.js';
import { NO_VOTE } from './vote.js';

/** The last part of a member whose storage has failed: it says once that it is out, and is silent from then on. */
export class Halted implements Role {
  readonly name = 'looking';
  readonly phase = 'election';
  readonly leader = null;
  readonly epoch = 0;
  readonly isServing = false;

  constructor(state: PeerState) {
    state.round += 1;
    state.vote = NO_VOTE;
    for (const peer of state.config.others) {
      state.notify(peer, this.name);
    }
  }

  tick(): void {}
  pause(): void {}
  linkUp(): void {}
  linkDown(): void {}
  step(): void {}
  durable(): void {}
  flush(): void {}
  introduce(): void {}
  leave(): void {}
}
