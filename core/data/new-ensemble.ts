import { OpCode } from '../protocol/index.js';
import { applyTxn } from './apply.js';
import type { StateMachine } from './state-machine.js';

/** What a state lost when it became that of another ensemble. */
export interface LeftOut {
  readonly sessions: number;
  readonly ephemerals: number;
}

/**
 * Makes a state that of a new ensemble, with which its history begins: the id is another one, all sessions are closed, their ephemeral
 * znodes are deleted, and it is the state at the marker of `epoch`, before any transaction of the new ensemble. It depends on nothing but
 * the state and the arguments, so that members that do it apart have the same state. `epoch` has to be above that of the state.
 */
export function beginNewEnsemble(
  { state }: StateMachine,
  { id, epoch }: { readonly id: string; readonly epoch: number },
): LeftOut {
  const marker = BigInt(epoch) << 32n;
  const left = { sessions: state.sessions.all.size, ephemerals: state.tree.ephemeralCount };
  for (const sessionId of state.sessions.all.keys()) {
    state.lastZxid = marker - 1n;
    const outcome = { type: 'closeSession', paths: [] } as const;
    applyTxn(state, marker, { sessionId, cxid: 0, time: state.lastTime, op: OpCode.closeSession, outcome });
  }
  state.lastZxid = marker;
  state.identify({ id, since: marker });
  return left;
}
