import { formatZxid } from './zxid.js';

/** The numbers behind a broken invariant. */
export type Facts = Readonly<Record<string, bigint | number | string | boolean | null>>;

/**
 * Something that the protocol rules out has happened: a bug, or a disk that lies. The member that throws it
 * must stop at once and not vote again before somebody has looked; carrying on could lose what was acknowledged.
 */
export class InvariantViolation extends Error {
  readonly code = 'ZAB_INVARIANT';
  readonly facts: Facts;

  constructor(what: string, facts: Facts = {}) {
    super(`${what} (${describe(facts)})`);
    this.name = 'InvariantViolation';
    this.facts = facts;
  }
}

export function invariant(holds: boolean, what: string, facts?: Facts): asserts holds {
  if (!holds) throw new InvariantViolation(what, facts);
}

/** A proposal was made while none was welcome; `PeerStatus.admits` says so beforehand. Nothing was proposed. */
export class ProposalRefused extends Error {
  readonly code = 'ZAB_PROPOSAL_REFUSED';

  constructor(reason: string) {
    super(`cannot propose: ${reason}`);
    this.name = 'ProposalRefused';
  }
}

/** A configuration or a restored history that no member could work with; the message says what is wrong with it. */
export class InvalidPeerConfig extends Error {
  readonly code = 'ZAB_INVALID_CONFIG';

  constructor(message: string) {
    super(message);
    this.name = 'InvalidPeerConfig';
  }
}

function describe(facts: Facts): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name} ${typeof value === 'bigint' ? formatZxid(value) : String(value)}`)
    .join(', ');
}
