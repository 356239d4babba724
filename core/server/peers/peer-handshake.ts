import { createHmac, timingSafeEqual } from 'node:crypto';
import { JuteReader, JuteWriter, MarshallingError } from '../../protocol/index.js';
import { QuorateError } from '../../runtime/index.js';
import { commonVersion, PEER_PROTOCOL, versionsText, type ProtocolVersions } from '../../zab/index.js';

const MAGIC = 0x5150_4545;
const NONCE_BYTES = 32;
const SECRET_BYTES = 32;

const Step = { hello: 1, challenge: 2, proof: 3, welcome: 4 } as const;

/** The other end is not who it should be, or does not accept this one. The message says what to look at. */
export class PeerRefused extends QuorateError {
  constructor(message: string) {
    super('PEER_REFUSED', message);
  }
}

/** Who this member is to the others. */
export interface PeerIdentity {
  readonly id: number;
  /** Names the ensemble and all its members: whoever describes it differently is of another one. */
  readonly ensemble: string;
  /** What only its members know: the first proves, each of them verifies. Read for each handshake, since they can be replaced. */
  readonly keys: readonly Uint8Array[];
  /** For members that know each other by certificates: what they tell each other once both have verified them. */
  readonly exchange?: SecretExchange | undefined;
  /** Members that may be spoken to. */
  readonly others: readonly number[];
  /** Versions of the peer protocol that this member speaks. Default: those of this version of Quorate. */
  readonly versions?: ProtocolVersions;
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
}

/**
 * The proof that both ends know the ensemble's key, without saying it. Each end proves it over both nonces,
 * both ids and the ensemble's description, so that a proof is of no use on another link, to another member,
 * or in the other direction.
 *
 *     dialler → hello (ensemble, from, to, nonce, oldest)   accepter → challenge (nonce, proof)
 *     dialler → proof                                       accepter → welcome
 *
 * Every message has a version in its header: the newest that the dialler speaks in the hello, and in the
 * others the version that the accepter has chosen, the newest that both speak. The proofs include both, so
 * nobody between can make them speak an older one. A hello keeps its fields in every version; later ones
 * may append some. Version 1 had no `oldest`.
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

  constructor(identity: PeerIdentity, peer: number, nonce: Uint8Array) {
    this.#identity = identity;
    this.#peer = peer;
    this.#nonce = nonce;
    this.#versions = versionsOf(identity);
    const writer = begin(this.#versions.newest, Step.hello);
    writer.writeString(identity.ensemble);
    writer.writeInt(identity.id);
    writer.writeInt(peer);
    writer.writeBuffer(nonce);
    writer.writeInt(this.#versions.oldest);
    this.hello = writer.take();
  }

  receive(message: Uint8Array): HandshakeStep {
    const agreed = this.#version;
    const expected = agreed === null ? Step.challenge : Step.welcome;
    return reading(message, expected, (reader, version) => {
      if (agreed === null) return this.#prove(reader, version);
      if (version !== agreed) throw new PeerRefused(`the other end changed to version ${version}`);
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
    const transcript = {
      ensemble,
      dialler: id,
      accepter: this.#peer,
      nonces: { dialler: this.#nonce, accepter: nonceOf(reader) },
      spoken,
      version,
    };
    verify(keys, 'accepter', transcript, reader.readBuffer());
    this.#version = version;
    const writer = begin(version, Step.proof);
    writer.writeBuffer(prove(keys, 'dialler', transcript));
    tellSecrets(writer, this.#identity);
    return { send: writer.take(), peer: null, version: null };
  }
}

export class AccepterHandshake implements PeerHandshake {
  readonly #identity: PeerIdentity;
  readonly #nonce: Uint8Array;
  readonly #check: CertificateCheck | null;
  #transcript: Transcript | null = null;

  /** `check`: for a dialler that has presented a certificate, in an ensemble whose members know each other by these. */
  constructor(identity: PeerIdentity, nonce: Uint8Array, check: CertificateCheck | null = null) {
    this.#identity = identity;
    this.#nonce = nonce;
    this.#check = check;
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
      verify(this.#identity.keys, 'dialler', transcript, reader.readBuffer());
      learnSecrets(reader, this.#identity);
      const writer = begin(version, Step.welcome);
      tellSecrets(writer, this.#identity);
      return { send: writer.take(), peer: transcript.dialler, version };
    });
  }

  #challenge(reader: JuteReader, newest: number): HandshakeStep {
    const { id, ensemble, keys, others } = this.#identity;
    const theirs = reader.readText();
    const from = reader.readInt();
    const to = reader.readInt();
    const nonce = nonceOf(reader);
    const spoken = { oldest: newest === 1 ? 1 : reader.readInt(), newest };
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
    if (problem !== null) throw new PeerRefused(problem);
    const nonces = { dialler: nonce, accepter: this.#nonce };
    this.#transcript = { ensemble, dialler: from, accepter: id, nonces, spoken, version };
    const writer = begin(version, Step.challenge);
    writer.writeBuffer(this.#nonce);
    writer.writeBuffer(prove(keys, 'accepter', this.#transcript));
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
}

/** The key of the peers, from the secret of the ensemble. */
export function peerKey(secret: Uint8Array): Uint8Array {
  return createHmac('sha256', secret).update('quorate peer link').digest();
}

/** In place of a key where certificates prove who the members are: both ends have to be set up in this way. */
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
  writer.writeInt(known.size);
  for (const [member, secret] of known) {
    writer.writeInt(member);
    writer.writeBuffer(secret);
  }
}

/** Only secrets of this member's fellows count, whatever the other end says. */
function learnSecrets(reader: JuteReader, { exchange, others }: PeerIdentity): void {
  if (exchange === undefined) return;
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
