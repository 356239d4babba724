import type { HttpAnswer } from '../transport/listener.js';

/** What a member says of itself. */
export interface MemberHealth {
  readonly id: number;
  readonly state:
    'starting' | 'leading' | 'following' | 'observing' | 'looking' | 'stopping' | 'failed' | 'closed';
  /** Clients are welcome. */
  readonly isServing: boolean;
  /** Last transaction applied, in hexadecimal. */
  readonly zxid: string;
  readonly epoch: number;
  readonly connections: number;
  readonly sessions: number;
}

/** Of a member that reads its data directory: nothing is known of it yet. */
export function startingHealth(id: number): MemberHealth {
  return { id, state: 'starting', isServing: false, zxid: '0x0', epoch: 0, connections: 0, sessions: 0 };
}

/** `/livez`: the process is worth keeping. */
export function livez(health: MemberHealth): HttpAnswer {
  return json(health.state === 'failed' ? 503 : 200, health);
}

/** `/readyz`: clients may be sent here. */
export function readyz(health: MemberHealth): HttpAnswer {
  return json(health.isServing ? 200 : 503, health);
}

function json(status: number, health: MemberHealth): HttpAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(health)}\n` };
}
