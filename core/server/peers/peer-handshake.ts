import { createHmac, timingSafeEqual } from 'node:crypto';
import { JuteReader, JuteWriter, MarshallingError } from '../../protocol/index.js';
import { commonVersion, PEER_PROTOCOL, versionsText, type ProtocolVersions } from '../../zab/index.js';
import { type DataIds, hasIds, readIds, requireIds, requireSameEnsemble, writeIds } from './data-ids.js';
import { type MemberSettings, NO_SETTINGS, readSettings, writeSettings } from './member-settings.js';
import { PeerRefused } from './peer-refused.js';

export { PeerRefused } from './peer-refused.js';

const MAGIC = 0x5150_4545;
const NONCE_BYTES = 32;
const SECRET_BYTES = 32;

const Step = { hello: 1, challenge: 2, proof: 3, welcome: 4 } as const;

/** Who this member is to the others. */
export interface PeerIdentity {
  readonly id: number;
  /** Names the ensemble and all its members: whoever describes it differently is of another one. */
  readonly ensemble: string;
  /** What only its members know: the first proves, each of them verifies. Read for each handshake, since they can be replaced. */
  readonly keys: readonly Uint8Array[];
  /** For members that can know each other by certificates: what they tell each other once both have verified them. */
  readonly exchange?: SecretExchange | undefined;
  /** Members that may be spoken to. */
  readonly others: readonly number[];
  /** Versions of the peer protocol that this member speaks. Default: those of this version of Quorate. */
  readonly versions?: ProtocolVersions;
  /** Id of the ensemble that the data of this member belong to, '' if they belong to none. Read for each handshake. Default ''. */
  readonly ensembleId?: string;
  /** Id of this member's data directory. Default ''. */
  readonly directoryId?: string;
  /** What this member was started with, as far as it is to be the same on all. Default: nothing. */
  readonly settings?: MemberSettings;
}

/** Lets members that were given no common secret verify the session passwords of each other. */
export interface SecretExchange {
  /** The secrets that sign session passwords, by member. */
  known(): ReadonlyMap<number, Uint8Array>;
  learn(member: number, secret: Uint8Array): void;
}

/** Why a certificate is not that of a member; null if it is. */
export type CertificateCheck = (member: number) => string | null;

/** What follows from a message of the handshake. */
export interface HandshakeStep {
  readonly send: Uint8Array | null;
  /** The other member, once both have proved to know the key. */
  readonly peer: number | null;
  /** The version of the peer protocol that the two speak on this link, from when `peer` is known. */
  readonly version: number | null;
}

/**
 * One end of the handshake; both ends throw `PeerRefused` from `receive` for anything that is not in place.
 */
export interface PeerHandshake {
  receive(message: Uint8Array): HandshakeStep;
  /** The member that the other end is meant to be, or says it is, which proves nothing; null before it has said so. */
  readonly claimed: number | null;
  /** What the other end has proved about its data; null before, and in versions that have no ids. */
  readonly remote: (DataIds & { readonly member: number }) | null;
  /** What the other end was started with; empty before the other end has proved who it is. */
  readonly remoteSettings: MemberSettings;
}

/**
 * The proof that both ends know the ensemble's key, without saying it. Each end proves it over both nonces,
 * both ids and the ensemble's description, so that a proof is of no use on another link, to another member,
 * or in the other direction.
 *
 *     dialler → hello (ensemble, from, to, nonce, oldest, ids)   accepter → challenge (nonce, proof, ids)
 *     dialler → proof                                       accepter → welcome
 *
 * Every message has a version in its header: the newest that the dialler speaks in the hello, and in the
 * others the version that the accepter has chosen, the newest that both speak. The proofs include both, so
 * nobody between can make them speak an older one. A hello keeps its fields in every version; later ones
 * may append some. Version 1 had no `oldest`, version 2 no ids of ensemble and directory, and no settings behind the proof and in the
 * welcome. Both ends refuse data of another ensemble once
 * the other end has proved who it is; nobody has to know the ids before.
 */
export class DiallerHandshake implements PeerHandshake {
  /** The first message. */
  readonly hello: Uint8Array;
  readonly #identity: PeerIdentity;
  readonly #peer: number;
  readonly #nonce: Uint8Array;
  readonly #versions: ProtocolVersions;
  /** As the accepter has chosen it and proved; null before. */
  #version: number | null = null;
  readonly #own: DataIds;
  #remote: PeerHandshake['remote'] = null;
  #remoteSettings = NO_SETTINGS;

  constructor(identity: PeerIdentity, peer: number, nonce: Uint8Array) {
    this.#identity = identity;
    this.#peer = peer;
    this.#nonce = nonce;
    this.#versions = versionsOf(identity);
    this.#own = idsOf(identity);
    const writer = begin(this.#versions.newest, Step.hello);
    writer.writeString(identity.ensemble);
    writer.writeInt(identity.id);
    writer.writeInt(peer);
    writer.writeBuffer(nonce);
    writer.writeInt(this.#versions.oldest);
    writeIds(writer, this.#versions.newest, this.#own);
    this.hello = writer.take();
  }

  get remote(): PeerHandshake['remote'] {
    return this.#remote;
  }

  get remoteSettings(): MemberSettings {
    return this.#remoteSettings;
  }

  get claimed(): number {
    return this.#peer;
  }

  receive(message: Uint8Array): HandshakeStep {
    const agreed = this.#version;
    const expected = agreed === null ? Step.challenge : Step.welcome;
    return reading(message, expected, (reader, version) => {
      if (agreed === null) return this.#prove(reader, version);
      if (version !== agreed) throw new PeerRefused(`the other end changed to version ${version}`);
      requireSameEnsemble(this.#identity.id, this.#own, this.#remote);
      this.#remoteSettings = readSettings(reader, version);
      learnSecrets(reader, this.#identity);
      return { send: null, peer: this.#peer, version };
    });
  }

  #prove(reader: JuteReader, version: number): HandshakeStep {
    const { id, ensemble, keys } = this.#identity;
    const spoken = this.#versions;
    if (version < spoken.oldest || version > spoken.newest) {
      throw mismatch(this.#peer, { oldest: version, newest: version }, id, spoken);
    }
    requireIds(version, this.#peer, this.#own);
    const nonces = { dialler: this.#nonce, accepter: nonceOf(reader) };
    const proof = reader.readBuffer();
    const ids = { dialler: this.#own, accepter: readIds(reader, version) };
    const transcript = { ensemble, dialler: id, accepter: this.#peer, nonces, spoken, version, ids };
    verify(keys, 'accepter', transcript, proof);
    this.#version = version;
    // The accepter gets the proof in any case, so that both ends know for sure whose data the other one has.
    this.#remote = ids.accepter && { ...ids.accepter, member: this.#peer };
    const writer = begin(version, Step.proof);
    writer.writeBuffer(prove(keys, 'dialler', transcript));
    writeSettings(writer, version, settingsOf(this.#identity));
    tellSecrets(writer, this.#identity);
    return { send: writer.take(), peer: null, version: null };
  }
}

export class AccepterHandshake implements PeerHandshake {
  readonly #identity: PeerIdentity;
  readonly #nonce: Uint8Array;
  readonly #check: CertificateCheck | null;
  /** What the dialler may prove itself with: `CERTIFIED_KEY`, which everybody knows, only behind a verified certificate. */
  #keys: readonly Uint8Array[] = [];
  /** The dialler's certificate is that of the member that it says it is. */
  #isCertified = false;
  #transcript: Transcript | null = null;
  readonly #own: DataIds;
  #remote: PeerHandshake['remote'] = null;
  #remoteSettings = NO_SETTINGS;
  #claimed: number | null = null;

  /** `check`: of the certificate that the dialler has presented, if any, in an ensemble whose members can know each other by these. */
  constructor(identity: PeerIdentity, nonce: Uint8Array, check: CertificateCheck | null = null) {
    this.#identity = identity;
    this.#nonce = nonce;
    this.#check = check;
    this.#own = idsOf(identity);
  }

  get remote(): PeerHandshake['remote'] {
    return this.#remote;
  }

  get remoteSettings(): MemberSettings {
    return this.#remoteSettings;
  }

  get claimed(): number | null {
    return this.#claimed;
  }

  receive(message: Uint8Array): HandshakeStep {
    const transcript = this.#transcript;
    if (transcript === null) {
      return reading(message, Step.hello, (reader, newest) => this.#challenge(reader, newest));
    }
    return reading(message, Step.proof, (reader, version) => {
      if (version !== transcript.version) {
        throw new PeerRefused(`the other end changed to version ${version}`);
      }
      verify(this.#keys, 'dialler', transcript, reader.readBuffer());
      this.#remote = transcript.ids.dialler && { ...transcript.ids.dialler, member: transcript.dialler };
      requireSameEnsemble(this.#identity.id, this.#own, this.#remote);
      this.#remoteSettings = readSettings(reader, version);
      const writer = begin(version, Step.welcome);
      writeSettings(writer, version, settingsOf(this.#identity));
      if (this.#isCertified) {
        learnSecrets(reader, this.#identity);
        tellSecrets(writer, this.#identity);
      }
      return { send: writer.take(), peer: transcript.dialler, version };
    });
  }

  #challenge(reader: JuteReader, newest: number): HandshakeStep {
    const { id, ensemble, others } = this.#identity;
    const theirs = reader.readText();
    const from = reader.readInt();
    const to = reader.readInt();
    if (others.includes(from)) this.#claimed = from;
    const nonce = nonceOf(reader);
    const spoken = { oldest: newest === 1 ? 1 : reader.readInt(), newest };
    const theirIds = readIds(reader, newest);
    const version = commonVersion(versionsOf(this.#identity), spoken);
    if (version === null) throw mismatch(from, spoken, id, versionsOf(this.#identity));
    if (theirs !== ensemble) {
      throw new PeerRefused(
        `member ${from} is of another ensemble: ${theirs}, where this one is ${ensemble}`,
      );
    }
    if (to !== id) throw new PeerRefused(`member ${to} was looked for, but this is member ${id}`);
    if (!others.includes(from))
      throw new PeerRefused(`member ${from} is not another member of this ensemble`);
    const problem = this.#check?.(from) ?? null;
    this.#isCertified = this.#check !== null && problem === null;
    this.#keys = this.#identity.keys.filter((key) => this.#isCertified || key !== CERTIFIED_KEY);
    if (problem !== null && this.#keys.length === 0) throw new PeerRefused(problem);
    requireIds(version, from, this.#own);
    const nonces = { dialler: nonce, accepter: this.#nonce };
    const ids = { dialler: hasIds(version) ? theirIds : null, accepter: this.#own };
    this.#transcript = { ensemble, dialler: from, accepter: id, nonces, spoken, version, ids };
    const writer = begin(version, Step.challenge);
    writer.writeBuffer(this.#nonce);
    writer.writeBuffer(prove(this.#keys, 'accepter', this.#transcript));
    writeIds(writer, version, this.#own);
    return { send: writer.take(), peer: null, version: null };
  }
}

interface Transcript {
  readonly ensemble: string;
  readonly dialler: number;
  readonly accepter: number;
  readonly nonces: { readonly dialler: Uint8Array; readonly accepter: Uint8Array };
  /** What the dialler speaks. */
  readonly spoken: ProtocolVersions;
  /** What the accepter has chosen. */
  readonly version: number;
  /** Null of a member that sends none. */
  readonly ids: { readonly dialler: DataIds | null; readonly accepter: DataIds | null };
}

/** The key of the peers, from the secret of the ensemble. */
export function peerKey(secret: Uint8Array): Uint8Array {
  return createHmac('sha256', secret).update('quorate peer link').digest();
}

/** In place of a key where certificates prove who the members are. Everybody can know it, so it counts only behind a verified certificate. */
export const CERTIFIED_KEY: Uint8Array = createHmac('sha256', 'quorate').update('certified members').digest();

function prove(
  [key]: readonly Uint8Array[],
  side: 'dialler' | 'accepter',
  transcript: Transcript,
): Uint8Array {
  const writer = new JuteWriter();
  writer.writeString(side);
  writer.writeString(transcript.ensemble);
  writer.writeInt(transcript.dialler);
  writer.writeInt(transcript.accepter);
  writer.writeBuffer(transcript.nonces.dialler);
  writer.writeBuffer(transcript.nonces.accepter);
  writer.writeInt(transcript.spoken.oldest);
  writer.writeInt(transcript.spoken.newest);
  writer.writeInt(transcript.version);
  if (hasIds(transcript.version)) {
    for (const ids of [transcript.ids.dialler, transcript.ids.accepter]) {
      writer.writeString(ids?.ensembleId ?? '');
      writer.writeString(ids?.directoryId ?? '');
    }
  }
  return createHmac('sha256', key!).update(writer.take()).digest();
}

/** Takes the same time whichever key is right. */
function verify(
  keys: readonly Uint8Array[],
  side: 'dialler' | 'accepter',
  transcript: Transcript,
  proof: Uint8Array | null,
): void {
  let isRight = false;
  for (const key of keys) {
    const right = prove([key], side, transcript);
    isRight = (proof?.length === right.length && timingSafeEqual(right, proof)) || isRight;
  }
  if (isRight) return;
  const other = side === 'dialler' ? transcript.dialler : transcript.accepter;
  throw new PeerRefused(`member ${other} has another secret`);
}

function tellSecrets(writer: JuteWriter, { exchange }: PeerIdentity): void {
  if (exchange === undefined) return;
  const known = exchange.known();
  if (known.size === 0) return;
  writer.writeInt(known.size);
  for (const [member, secret] of known) {
    writer.writeInt(member);
    writer.writeBuffer(secret);
  }
}

/** Only secrets of this member's fellows count, whatever the other end says. */
function learnSecrets(reader: JuteReader, { exchange, others }: PeerIdentity): void {
  // A member that knows of none says nothing.
  if (exchange === undefined || reader.remaining === 0) return;
  for (let left = reader.readInt(); left > 0; left--) {
    const member = reader.readInt();
    const secret = reader.readBuffer();
    if (secret?.length === SECRET_BYTES && others.includes(member)) exchange.learn(member, secret);
  }
}

function nonceOf(reader: JuteReader): Uint8Array {
  const nonce = reader.readBuffer();
  if (nonce?.length !== NONCE_BYTES) throw new PeerRefused('the other end sent no nonce');
  return nonce;
}

function idsOf({ ensembleId = '', directoryId = '' }: PeerIdentity): DataIds {
  return { ensembleId, directoryId };
}

function settingsOf({ settings = NO_SETTINGS }: PeerIdentity): MemberSettings {
  return settings;
}

function versionsOf({ versions }: PeerIdentity): ProtocolVersions {
  return versions ?? PEER_PROTOCOL;
}

/** Short enough to leave as the reason of a close, so that both ends log it. */
function mismatch(other: number, theirs: ProtocolVersions, own: number, ours: ProtocolVersions): PeerRefused {
  const [newer, older] = theirs.newest > ours.newest ? [other, own] : [own, other];
  return new PeerRefused(
    `member ${other} speaks peer protocol ${versionsText(theirs)}, member ${own} speaks ${versionsText(ours)}: ` +
      `upgrade member ${older} to the version of ${newer}`,
  );
}

function begin(version: number, step: number): JuteWriter {
  const writer = new JuteWriter(256);
  writer.writeInt(MAGIC);
  writer.writeInt(version);
  writer.writeInt(step);
  return writer;
}

function reading(
  message: Uint8Array,
  expected: number,
  read: (reader: JuteReader, version: number) => HandshakeStep,
): HandshakeStep {
  const reader = new JuteReader(message);
  try {
    if (reader.readInt() !== MAGIC) throw new PeerRefused('the other end is no member of an ensemble');
    const version = reader.readInt();
    if (reader.readInt() !== expected) throw new PeerRefused('the other end sent something out of turn');
    return read(reader, version);
  } catch (error) {
    if (!(error instanceof MarshallingError)) throw error;
    throw new PeerRefused(`the other end sent what cannot be read: ${error.message}`);
  }
}
