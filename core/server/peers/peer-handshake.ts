import { createHmac, timingSafeEqual } from 'node:crypto';
import { JuteReader, JuteWriter, MarshallingError } from '../../protocol/index.js';
import { QuorateError } from '../../runtime/index.js';

const MAGIC = 0x5150_4545;
const VERSION = 1;
const NONCE_BYTES = 32;

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
  /** What only its members know. */
  readonly key: Uint8Array;
  /** Members that may be spoken to. */
  readonly others: readonly number[];
}

/** What follows from a message of the handshake. */
export interface HandshakeStep {
  readonly send: Uint8Array | null;
  /** The other member, once both have proved to know the key. */
  readonly peer: number | null;
}

/** One end of the handshake; both ends throw `PeerRefused` from `receive` for anything that is not in place. */
export interface PeerHandshake {
  receive(message: Uint8Array): HandshakeStep;
}

/**
 * The proof that both ends know the ensemble's key, without saying it. Each end proves it over both nonces, both ids and
 * the ensemble's description, so that a proof is of no use on another link, to another member, or in the other direction.
 *
 *     dialler → hello (ensemble, from, to, nonce)       accepter → challenge (nonce, proof)
 *     dialler → proof                                   accepter → welcome
 */
export class DiallerHandshake implements PeerHandshake {
  /** The first message. */
  readonly hello: Uint8Array;
  readonly #identity: PeerIdentity;
  readonly #peer: number;
  readonly #nonce: Uint8Array;
  #hasProved = false;

  constructor(identity: PeerIdentity, peer: number, nonce: Uint8Array) {
    this.#identity = identity;
    this.#peer = peer;
    this.#nonce = nonce;
    const writer = begin(Step.hello);
    writer.writeString(identity.ensemble);
    writer.writeInt(identity.id);
    writer.writeInt(peer);
    writer.writeBuffer(nonce);
    this.hello = writer.take();
  }

  receive(message: Uint8Array): HandshakeStep {
    const expected = this.#hasProved ? Step.welcome : Step.challenge;
    return reading(message, expected, (reader) => {
      if (this.#hasProved) return { send: null, peer: this.#peer };
      const nonces = { dialler: this.#nonce, accepter: nonceOf(reader) };
      const link = { ensemble: this.#identity.ensemble, dialler: this.#identity.id, accepter: this.#peer };
      verify(this.#identity.key, 'accepter', { ...link, nonces }, reader.readBuffer());
      this.#hasProved = true;
      const writer = begin(Step.proof);
      writer.writeBuffer(prove(this.#identity.key, 'dialler', { ...link, nonces }));
      return { send: writer.take(), peer: null };
    });
  }
}

export class AccepterHandshake implements PeerHandshake {
  readonly #identity: PeerIdentity;
  readonly #nonce: Uint8Array;
  #transcript: Transcript | null = null;

  constructor(identity: PeerIdentity, nonce: Uint8Array) {
    this.#identity = identity;
    this.#nonce = nonce;
  }

  receive(message: Uint8Array): HandshakeStep {
    const transcript = this.#transcript;
    if (transcript === null) return reading(message, Step.hello, (reader) => this.#challenge(reader));
    return reading(message, Step.proof, (reader) => {
      verify(this.#identity.key, 'dialler', transcript, reader.readBuffer());
      return { send: begin(Step.welcome).take(), peer: transcript.dialler };
    });
  }

  #challenge(reader: JuteReader): HandshakeStep {
    const { id, ensemble, key, others } = this.#identity;
    const theirs = reader.readText();
    const from = reader.readInt();
    const to = reader.readInt();
    if (theirs !== ensemble) {
      throw new PeerRefused(
        `member ${from} is of another ensemble: ${theirs}, where this one is ${ensemble}`,
      );
    }
    if (to !== id) throw new PeerRefused(`member ${to} was looked for, but this is member ${id}`);
    if (!others.includes(from))
      throw new PeerRefused(`member ${from} is not another member of this ensemble`);
    const nonces = { dialler: nonceOf(reader), accepter: this.#nonce };
    this.#transcript = { ensemble, dialler: from, accepter: id, nonces };
    const writer = begin(Step.challenge);
    writer.writeBuffer(this.#nonce);
    writer.writeBuffer(prove(key, 'accepter', this.#transcript));
    return { send: writer.take(), peer: null };
  }
}

interface Transcript {
  readonly ensemble: string;
  readonly dialler: number;
  readonly accepter: number;
  readonly nonces: { readonly dialler: Uint8Array; readonly accepter: Uint8Array };
}

/** The key of the peers, from the secret of the ensemble. */
export function peerKey(secret: Uint8Array): Uint8Array {
  return createHmac('sha256', secret).update('quorate peer link').digest();
}

function prove(key: Uint8Array, side: 'dialler' | 'accepter', transcript: Transcript): Uint8Array {
  const writer = new JuteWriter();
  writer.writeString(side);
  writer.writeString(transcript.ensemble);
  writer.writeInt(transcript.dialler);
  writer.writeInt(transcript.accepter);
  writer.writeBuffer(transcript.nonces.dialler);
  writer.writeBuffer(transcript.nonces.accepter);
  return createHmac('sha256', key).update(writer.take()).digest();
}

function verify(
  key: Uint8Array,
  side: 'dialler' | 'accepter',
  transcript: Transcript,
  proof: Uint8Array | null,
): void {
  const right = prove(key, side, transcript);
  if (proof === null || proof.length !== right.length || !timingSafeEqual(right, proof)) {
    const other = side === 'dialler' ? transcript.dialler : transcript.accepter;
    throw new PeerRefused(`member ${other} has another secret`);
  }
}

function nonceOf(reader: JuteReader): Uint8Array {
  const nonce = reader.readBuffer();
  if (nonce?.length !== NONCE_BYTES) throw new PeerRefused('the other end sent no nonce');
  return nonce;
}

function begin(step: number): JuteWriter {
  const writer = new JuteWriter(256);
  writer.writeInt(MAGIC);
  writer.writeInt(VERSION);
  writer.writeInt(step);
  return writer;
}

function reading(
  message: Uint8Array,
  expected: number,
  read: (reader: JuteReader) => HandshakeStep,
): HandshakeStep {
  const reader = new JuteReader(message);
  try {
    if (reader.readInt() !== MAGIC) throw new PeerRefused('the other end is no member of an ensemble');
    const version = reader.readInt();
    if (version !== VERSION) {
      throw new PeerRefused(`the other end speaks version ${version}, this member version ${VERSION}`);
    }
    if (reader.readInt() !== expected) throw new PeerRefused('the other end sent something out of turn');
    return read(reader);
  } catch (error) {
    if (!(error instanceof MarshallingError)) throw error;
    throw new PeerRefused(`the other end sent what cannot be read: ${error.message}`);
  }
}
