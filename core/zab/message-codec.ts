import type { VoterState } from './ambiguous-end.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import type { EpochTable } from './epoch-table.js';
import type { Entry } from './peer-config.js';
import type { PeerMessage } from './peer-message.js';
import type { PeerRole } from './peer-status.js';
import { PEER_PROTOCOL } from './protocol-version.js';
import type { Standing } from './standing.js';
import { epochOf, NO_ZXID } from './zxid.js';

type MessageOf<T extends PeerMessage['type']> = Extract<PeerMessage, { type: T }>;

/** Number, encoder and decoder of one kind of message, side by side; the type itself is the first byte. */
interface Codec<T extends PeerMessage['type']> {
  readonly number: number;
  /** `version` is that of the link, for fields that not every version has. */
  write(out: ByteWriter, message: MessageOf<T>, version: number): void;
  read(from: ByteReader, version: number): Omit<MessageOf<T>, 'type'>;
}

const ROLES: readonly PeerRole[] = ['looking', 'following', 'leading', 'observing'];
const STANDINGS: readonly Standing[] = [
  'full',
  'founding',
  'new',
  'rejoining',
  'ambiguous',
  'empty',
  'damaged',
];
const ENTRY_MIN_BYTES = 9;
const EPOCH_END_BYTES = 8;

const CODECS: { readonly [T in PeerMessage['type']]: Codec<T> } = {
  notification: {
    number: 1,
    write: (out, { state, round, vote, claim, canLead, isBehind, ...voter }) => {
      out.byte(ROLES.indexOf(state));
      out.count(round);
      out.byte(vote.leader);
      out.count(vote.epoch);
      out.zxid(vote.zxid);
      writeVoterState(out, voter);
      out.zxid(claim);
      out.byte(canLead ? 1 : 0);
      out.byte(isBehind ? 1 : 0);
    },
    read: (from) => ({
      state: ROLES[from.byte()] ?? from.fail('an unknown state'),
      round: from.count(),
      vote: { leader: from.byte(), epoch: from.epoch(), zxid: from.zxid() },
      ...readVoterState(from),
      claim: from.zxid(),
      canLead: from.flag(),
      isBehind: from.flag(),
    }),
  },
  learnerInfo: {
    number: 2,
    write: (out, { attempt, acceptedEpoch, ...voter }) => {
      out.count(attempt);
      out.count(acceptedEpoch);
      writeVoterState(out, voter);
    },
    read: (from) => ({
      attempt: from.count(),
      acceptedEpoch: from.epoch(),
      ...readVoterState(from),
    }),
  },
  newEpoch: {
    number: 3,
    write: (out, { attempt, epoch }) => {
      out.count(attempt);
      out.count(epoch);
    },
    read: (from) => ({ attempt: from.count(), epoch: from.epoch() }),
  },
  ackEpoch: {
    number: 4,
    write: (out, { epoch, isPromise, needsSnapshot, lastZxid, epochs }) => {
      out.count(epoch);
      out.byte(isPromise ? 1 : 0);
      out.byte(needsSnapshot ? 1 : 0);
      out.zxid(lastZxid);
      writeEpochs(out, epochs);
    },
    read: (from) => ({
      epoch: from.epoch(),
      isPromise: from.flag(),
      needsSnapshot: from.flag(),
      lastZxid: from.zxid(),
      epochs: readEpochs(from),
    }),
  },
  diff: {
    number: 5,
    write: (out, { epoch, after }) => writeEpochAndZxid(out, epoch, after),
    read: (from) => ({ epoch: from.epoch(), after: from.zxid() }),
  },
  trunc: {
    number: 6,
    write: (out, { epoch, after }) => writeEpochAndZxid(out, epoch, after),
    read: (from) => ({ epoch: from.epoch(), after: from.zxid() }),
  },
  lend: {
    number: 21,
    write: (out, { epoch, lastZxid, epochs }) => {
      writeEpochAndZxid(out, epoch, lastZxid);
      writeEpochs(out, epochs);
    },
    read: (from) => ({ epoch: from.epoch(), lastZxid: from.zxid(), epochs: readEpochs(from) }),
  },
  snap: {
    number: 7,
    write: (out, { epoch, zxid, epochs }) => {
      writeEpochAndZxid(out, epoch, zxid);
      writeEpochs(out, epochs);
    },
    read: (from) => ({ epoch: from.epoch(), zxid: from.zxid(), epochs: readEpochs(from) }),
  },
  snapshotChunk: {
    number: 8,
    write: (out, { epoch, bytes, isLast }) => {
      out.count(epoch);
      out.byte(isLast ? 1 : 0);
      out.bytes(bytes);
    },
    read: (from) => ({ epoch: from.epoch(), isLast: from.flag(), bytes: from.bytes() }),
  },
  snapshotAck: {
    number: 9,
    write: (out, { epoch, chunks }) => {
      out.count(epoch);
      out.count(chunks);
    },
    read: (from) => ({ epoch: from.epoch(), chunks: from.count() }),
  },
  proposal: {
    number: 10,
    write: (out, { epoch, commit, entries }) => {
      writeEpochAndZxid(out, epoch, commit);
      writeEntries(out, entries);
    },
    read: (from) => ({ epoch: from.epoch(), commit: from.zxid(), entries: readEntries(from) }),
  },
  inform: {
    number: 11,
    write: (out, { epoch, entries }) => {
      out.count(epoch);
      writeEntries(out, entries);
    },
    read: (from) => ({ epoch: from.epoch(), entries: readEntries(from) }),
  },
  ack: {
    number: 12,
    write: (out, { epoch, zxid }) => writeEpochAndZxid(out, epoch, zxid),
    read: (from) => ({ epoch: from.epoch(), zxid: from.zxid() }),
  },
  commit: {
    number: 13,
    write: (out, { epoch, zxid }) => writeEpochAndZxid(out, epoch, zxid),
    read: (from) => ({ epoch: from.epoch(), zxid: from.zxid() }),
  },
  upToDate: {
    number: 14,
    write: (out, { epoch, commit }) => writeEpochAndZxid(out, epoch, commit),
    read: (from) => ({ epoch: from.epoch(), commit: from.zxid() }),
  },
  ping: {
    number: 15,
    write: (out, { epoch, nonce, heard, payload }) => {
      out.count(epoch);
      out.count(nonce);
      out.count(heard);
      out.bytes(payload);
    },
    read: (from) => ({
      epoch: from.epoch(),
      nonce: from.count(),
      heard: from.count(),
      payload: from.bytes(),
    }),
  },
  pong: {
    number: 16,
    write: (out, { epoch, nonce, payload }) => {
      out.count(epoch);
      out.count(nonce);
      out.bytes(payload);
    },
    read: (from) => ({ epoch: from.epoch(), nonce: from.count(), payload: from.bytes() }),
  },
  handOver: {
    number: 17,
    write: (out, { epoch, leader, round }) => {
      out.count(epoch);
      out.byte(leader);
      out.count(round);
    },
    read: (from) => ({ epoch: from.epoch(), leader: from.byte(), round: from.count() }),
  },
  application: {
    number: 18,
    write: (out, { epoch, bytes }) => {
      out.count(epoch);
      out.bytes(bytes);
    },
    read: (from) => ({ epoch: from.epoch(), bytes: from.bytes() }),
  },
  readmit: {
    number: 19,
    write: (out, { epoch }) => out.count(epoch),
    read: (from) => ({ epoch: from.epoch() }),
  },
  readmitted: {
    number: 20,
    write: (out, { epoch }) => out.count(epoch),
    read: (from) => ({ epoch: from.epoch() }),
  },
};

const TYPES = new Map(
  Object.entries(CODECS).map(([type, { number }]) => [number, type as PeerMessage['type']]),
);

/** `version`: one that this member speaks (`PEER_PROTOCOL`), as negotiated for the link. Default: the newest. */
export function encodePeerMessage(message: PeerMessage, version: number = PEER_PROTOCOL.newest): Uint8Array {
  const codec = CODECS[message.type] as Codec<PeerMessage['type']>;
  const out = new ByteWriter(sizeHint(message));
  out.byte(codec.number);
  codec.write(out, message, version);
  return out.finish();
}

/**
 * Throws `PeerMessageError` for anything that is not exactly one message, and nothing else. Payloads are views
 * into `bytes`. `version` as in `encodePeerMessage`.
 */
export function decodePeerMessage(bytes: Uint8Array, version: number = PEER_PROTOCOL.newest): PeerMessage {
  const from = new ByteReader(bytes);
  const type = TYPES.get(from.byte()) ?? from.fail('an unknown type');
  const fields = CODECS[type].read(from, version);
  from.end();
  return { type, ...fields } as PeerMessage;
}

function writeEpochAndZxid(out: ByteWriter, epoch: number, zxid: bigint): void {
  out.count(epoch);
  out.zxid(zxid);
}

function writeVoterState(out: ByteWriter, { standing, mayHold = NO_ZXID }: VoterState): void {
  out.byte(STANDINGS.indexOf(standing));
  if (standing === 'ambiguous') out.zxid(mayHold);
}

function readVoterState(from: ByteReader): VoterState {
  const standing = STANDINGS[from.byte()] ?? from.fail('an unknown standing');
  return standing === 'ambiguous' ? { standing, mayHold: from.zxid() } : { standing };
}

/** The epoch is the upper half of its last zxid. */
function writeEpochs(out: ByteWriter, epochs: EpochTable): void {
  out.count(epochs.length);
  for (const { lastZxid } of epochs) out.zxid(lastZxid);
}

function readEpochs(from: ByteReader): EpochTable {
  let previous = 0;
  return from.list(EPOCH_END_BYTES, () => {
    const lastZxid = from.zxid();
    const epoch = epochOf(lastZxid);
    if (epoch <= previous) from.fail(`epoch ${epoch} behind epoch ${previous}`);
    previous = epoch;
    return { epoch, lastZxid };
  });
}

function writeEntries(out: ByteWriter, entries: readonly Entry[]): void {
  out.count(entries.length);
  for (const { zxid, payload } of entries) {
    out.zxid(zxid);
    out.bytes(payload);
  }
}

function readEntries(from: ByteReader): Entry[] {
  return from.list(ENTRY_MIN_BYTES, () => ({ zxid: from.zxid(), payload: from.bytes() }));
}

function sizeHint(message: PeerMessage): number {
  if (!('entries' in message)) return 'bytes' in message ? message.bytes.length + 32 : 64;
  return message.entries.reduce((sum, { payload }) => sum + payload.length + 16, 32);
}
