import type { HttpAnswer } from '../../transport/listener.js';
import type { MemberHealth } from '../member/index.js';
import { lookingReason } from './looking-reason.js';

/** `/livez`: the process is worth keeping. `isDetailed`: with all that is known of the member. */
export function livez(health: MemberHealth, isDetailed = true): HttpAnswer {
  const isAlive = health.state !== 'failed';
  return json(isAlive ? 200 : 503, isDetailed ? health : { alive: isAlive });
}

/**
 * `/readyz`: clients may be sent here, and this member counts. A member that is rejoining serves clients, but nobody
 * counts it yet: whoever restarts members one after the other would take the quorum away by going on to the next one.
 */
export function readyz(health: MemberHealth, isDetailed = true): HttpAnswer {
  const reason = unreadiness(health);
  const isReady = reason === null;
  return json(isReady ? 200 : 503, isDetailed ? { ready: isReady, reason, ...health } : { ready: isReady });
}

/** `/stoppable`: the ensemble keeps a quorum that counts if this member is stopped. */
export function stoppable(health: MemberHealth, isDetailed = true): HttpAnswer {
  const { id, unstoppable: reason } = health;
  const isStoppable = reason === null;
  return json(
    isStoppable ? 200 : 503,
    isDetailed ? { stoppable: isStoppable, reason, id } : { stoppable: isStoppable },
  );
}

/** Null if it is ready. */
function unreadiness(health: MemberHealth): string | null {
  const { isServing, rejoining, waitsFor, state, phase, foreign } = health;
  if (isServing && !health.isConfirmed)
    return `${state}, but ${unheard(state)} since it began or this process paused`;
  if (isServing) return rejoining ? 'rejoining: it has no vote before the others have taken it back' : null;
  if (foreign.length > 0) return `${state}: ${foreignReason(health)}`;
  if (waitsFor !== null) return `${state}: ${waitsFor}`;
  if (state === 'looking') return `${state}: ${lookingReason(health)}`;
  const isInRole = state === 'leading' || state === 'following' || state === 'observing';
  return isInRole ? `${state}, but in ${phase} still` : state;
}

function unheard(state: MemberHealth['state']): string {
  return state === 'leading' ? 'no quorum has answered it' : 'no heartbeat of its leader has come';
}

function foreignReason({ ensemble, foreign }: MemberHealth): string {
  const others = foreign.map((other) => `member ${other.member} of ${other.ensemble}`).join(', ');
  return (
    `its data are of ensemble ${ensemble}, those of ${others}. If this member is to join the other ensemble, stop it, put its ` +
    'data directory aside and start it with an empty one; else correct the addresses in --ensemble'
  );
}

function json(status: number, content: object): HttpAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(content)}\n` };
}
