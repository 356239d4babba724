import { MarshallingError } from '../protocol/index.js';
import { lanes } from './digest.js';

/** Size of the id of an ensemble, in bytes. */
export const ENSEMBLE_ID_BYTES = 16;

/** Which ensemble a state belongs to. */
export interface EnsembleIdentity {
  /** 128 random bits, as 32 hexadecimal digits. */
  readonly id: string;
  /** zxid of the transaction that gave the ensemble this id: the marker of its first epoch, unless the ensemble is older than ids are. */
  readonly since: bigint;
}

/** The id that these bytes are. Throws `MarshallingError` if they are none. */
export function ensembleIdOf(bytes: Uint8Array | null): string {
  if (bytes?.length !== ENSEMBLE_ID_BYTES)
    throw new MarshallingError(`${bytes?.length ?? 'no'} bytes in place of an ensemble id`);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
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
