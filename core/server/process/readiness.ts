import type { HttpAnswer } from '../../transport/listener.js';
import type { MemberHealth } from '../member/index.js';

/** `/livez`: the process is worth keeping. */
export function livez(health: MemberHealth): HttpAnswer {
  return json(health.state === 'failed' ? 503 : 200, health);
}

/**
 * `/readyz`: clients may be sent here, and the next member may be stopped. A member that is rejoining serves clients, but nobody
 * counts it yet: whoever restarts members one after the other would take the quorum away by going on to the next one.
 */
export function readyz(health: MemberHealth): HttpAnswer {
  const reason = unreadiness(health);
  return json(reason === null ? 200 : 503, { ready: reason === null, reason, ...health });
}

/** Null if it is ready. */
function unreadiness({ isServing, rejoining, waitsFor, state, phase }: MemberHealth): string | null {
  if (isServing) return rejoining ? 'rejoining: it has no vote before the others have taken it back' : null;
  if (waitsFor !== null) return `${state}: ${waitsFor}`;
  const isInRole = state === 'leading' || state === 'following' || state === 'observing';
  return isInRole ? `${state}, but in ${phase} still` : state;
}

function json(status: number, content: object): HttpAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(content)}\n` };
}
