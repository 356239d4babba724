import { MarshallingError } from '../protocol/index.js';
import { lanes } from './digest.js';

/** Size of the id of an ensemble, in bytes. */
export const ENSEMBLE_ID_BYTES = 16;

/** Which ensemble a state belongs to. */
export interface EnsembleIdentity {
  /** 128 random bits, as 32 hexadecimal digits. */
  readonly id: string;
  /** The marker of the epoch that gave the ensemble this id: the first one, unless the ensemble is older than ids are. */
  readonly since: bigint;
}

/** The id in the marker of an epoch; null if the marker is empty, as all are but one. Throws `MarshallingError`. */
export function ensembleIdOf(payload: Uint8Array): string | null {
  if (payload.length === 0) return null;
  if (payload.length !== ENSEMBLE_ID_BYTES) {
    throw new MarshallingError(
      `the marker of an epoch with ${payload.length} bytes, which are no ensemble id`,
    );
  }
  return Array.from(payload, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The bytes of an id. */
export function ensembleIdBytes(id: string): Uint8Array {
  return Uint8Array.from({ length: ENSEMBLE_ID_BYTES }, (_, index) =>
    Number.parseInt(id.slice(2 * index, 2 * index + 2), 16),
  );
}

/** Leaves the hash of an identity in `lanes`. */
export function hashIdentity({ id, since }: EnsembleIdentity): void {
  lanes.start();
  lanes.string(id);
  lanes.long(since);
  lanes.finish();
}
