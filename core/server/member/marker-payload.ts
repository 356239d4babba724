import { encodeTxn, ENSEMBLE_ID_BYTES, ensembleIdOf, identifyTxn } from '../../data/index.js';
import type { Random } from '../../runtime/index.js';
import type { MarkerPayload } from '../../zab/index.js';
import type { PeerLinks } from '../peers/index.js';
import type { ReplicatedState } from '../state/index.js';

const NO_BYTES = new Uint8Array(0);
/** Members that speak an older version of the peer protocol cannot apply a marker with an id. */
const FIRST_WITH_IDS = 3;

export interface MarkerPayloadParts {
  readonly id: number;
  readonly voters: readonly number[];
  readonly random: Random;
  readonly state: Pick<ReplicatedState, 'identity'>;
  /** Null for a member that stands alone. */
  readonly links: Pick<PeerLinks, 'versions'> | null;
}

/**
 * Gives an ensemble its id: a transaction with 128 random bits in the marker of an epoch, so that a quorum has it before there is any transaction in that
 * epoch, and all members agree on it. A new ensemble gets it with its first epoch. One whose data are older than ids are gets it with the first
 * epoch whose leader has had a link to every voter, and to no member whose last link could not carry it.
 */
export function markerPayloadOf({ id, voters, random, state, links }: MarkerPayloadParts): MarkerPayload {
  return ({ unapplied, isBlank }) => {
    if (state.identity !== null || unapplied.some((payload) => payload.length > 0)) return NO_BYTES;
    const versions = links?.versions ?? new Map<number, number>();
    if ([...versions.values()].some((version) => version < FIRST_WITH_IDS)) return NO_BYTES;
    const areAllKnown = voters.every((voter) => voter === id || versions.has(voter));
    if (!isBlank && !areAllKnown) return NO_BYTES;
    return encodeTxn(identifyTxn(ensembleIdOf(random.bytes(ENSEMBLE_ID_BYTES))));
  };
}
