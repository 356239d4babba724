import type { JuteReader, JuteWriter } from '../../protocol/index.js';
import { ForeignEnsembleError, PeerRefused } from './peer-refused.js';

/** From this version of the peer protocol on members exchange the ids of their ensemble and of their directory. */
const FIRST_WITH_IDS = 3;

/** Which data a member has: `ensembleId` is '' if they are of no ensemble that has an id, `directoryId` if it is not known. */
export interface DataIds {
  readonly ensembleId: string;
  readonly directoryId: string;
}

export function hasIds(version: number): boolean {
  return version >= FIRST_WITH_IDS;
}

export function writeIds(writer: JuteWriter, version: number, ids: DataIds): void {
  if (!hasIds(version)) return;
  writer.writeString(ids.ensembleId);
  writer.writeString(ids.directoryId);
}

/** Null in a version that has no ids. */
export function readIds(reader: JuteReader, version: number): DataIds | null {
  return hasIds(version) ? { ensembleId: reader.readText(), directoryId: reader.readText() } : null;
}

/** Throws `PeerRefused`: a member of an ensemble that has an id has no link to one that cannot say which data it has. */
export function requireIds(version: number, other: number, { ensembleId }: DataIds): void {
  if (hasIds(version) || ensembleId === '') return;
  throw new PeerRefused(
    `member ${other} speaks peer protocol ${version}, which has no ensemble ids: upgrade member ${other}`,
  );
}

/** Throws `ForeignEnsembleError`. */
export function requireSameEnsemble(
  id: number,
  { ensembleId }: DataIds,
  other: (DataIds & { readonly member: number }) | null,
): void {
  if (other === null || !areForeign(ensembleId, other.ensembleId)) return;
  throw new ForeignEnsembleError({ member: id, ensembleId }, other);
}

/** A member without an id takes that of the ensemble that admits it. */
export function areForeign(one: string, other: string): boolean {
  return one !== '' && other !== '' && one !== other;
}
