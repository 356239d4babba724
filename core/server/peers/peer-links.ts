import type { Clock, Logger, Random, Timer } from '../../runtime/index.js';
import { CloseCode, type CloseReason, type Connection, type Dialer } from '../../transport/index.js';
import { decodePeerMessage, encodePeerMessage, PeerMessageError, type PeerMessage } from '../../zab/index.js';
import { areForeign, type DataIds } from './data-ids.js';
import { FrameReader } from './frame.js';
import {
  AccepterHandshake,
  DiallerHandshake,
  type CertificateCheck,
  type PeerHandshake,
  type PeerIdentity,
} from './peer-handshake.js';
import { HANDSHAKE_MS, introduce } from './peer-introduction.js';
import { NO_SETTINGS } from './member-settings.js';
import { PeerLink } from './peer-link.js';
import { PeerReports } from './peer-reports.js';
import { RefusalLog } from './refusal-log.js';
import { TwinWatch } from './twin-watch.js';

const NONCE_BYTES = 32;
/** Characters that the reason of a close has room for. */
const LONGEST_REASON = 120;
const REDIAL_MIN_MS = 20;
const REDIAL_MAX_MS = 500;
/** Connections that have not proved yet who they are; one more is closed. */
const MAX_STRANGERS = 64;

/**
 * What must not wait behind bulk, because whoever does not get it in time gives the sender up. An acknowledgement may overtake
 * what was sent before it: the leader asks for none before it has the learner's history, and each covers all before it.
 */
const URGENT: ReadonlySet<PeerMessage['type']> = new Set(['ping', 'pong', 'ack']);

/** Between messages and bytes, in a version of the peer protocol. */
export interface PeerCodec {
  encode(message: PeerMessage, version: number): Uint8Array;
  /** Throws `PeerMessageError`. */
  decode(bytes: Uint8Array, version: number): PeerMessage;
}

const PEER_CODEC: PeerCodec = { encode: encodePeerMessage, decode: decodePeerMessage };

export interface PeerLinksParts {
  readonly identity: PeerIdentity;
  /** Where the others listen, by id: only these are dialled, whatever anybody else says (ZOOKEEPER-2164). */
  readonly addresses: ReadonlyMap<number, string>;
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A link that says nothing for so long is given up, in milliseconds. */
  readonly silenceMs: number;
  /** Length of a tick, in milliseconds: a live link is heard from within one. */
  readonly tickMs: number;
  /** What may wait to leave on one link, beyond which the link is given up. */
  readonly maxQueuedBytes: number;
  /** Default: the messages of Zab. */
  readonly codec?: PeerCodec;
}

/** Gets what happens on the links. */
export interface PeerLinksHandler {
  connected(peer: number, link: number): void;
  disconnected(peer: number, link: number): void;
  /** The other member has refused the snapshot that this one sent, because it is damaged. */
  snapshotRefused(peer: number): void;
  received(peer: number, link: number, message: PeerMessage): void;
}

interface Established {
  readonly link: PeerLink;
  /** What the other end said when the link began. */
  readonly ids: DataIds | null;
  readonly reader: FrameReader;
  heardAt: number;
}

/**
 * The links to the other members. Of two members the one with the lower id dials, so that there is one link per pair
 * and no need to agree which of two is the right one; when it dials again, the newest link wins, because whoever dials
 * has lost the old one. (The higher id leads more often, and WebSocket costs whoever dials more for what it sends.)
 * Nobody is listened to before both ends have proved that they know the ensemble's secret, or have verified their certificates.
 */
export class PeerLinks {
  /** What is known of members that are away or differ. */
  readonly reports: PeerReports;
  readonly #parts: PeerLinksParts;
  /** Set by `start`. */
  #handler!: PeerLinksHandler;
  readonly #links = new Map<number, Established>();
  readonly #strangers = new Set<Connection>();
  readonly #redials = new Map<number, Timer>();
  readonly #failures = new Map<number, number>();
  /** What was encoded in this turn, by version. */
  readonly #encoded = new Map<number, Map<PeerMessage, Uint8Array>>();
  readonly #codec: PeerCodec;
  readonly #refusals: RefusalLog;
  readonly #twins: TwinWatch;
  readonly #versions = new Map<number, number>();
  /** Members whose data are of another ensemble, as they proved last, with the id of that. */
  readonly #foreign = new Map<number, string>();
  readonly #abort = new AbortController();
  #lastLink = 0;

  constructor(parts: PeerLinksParts) {
    this.#parts = parts;
    this.#codec = parts.codec ?? PEER_CODEC;
    this.#refusals = new RefusalLog(parts.logger, parts.clock);
    this.reports = new PeerReports(parts.identity.settings ?? NO_SETTINGS, parts.logger);
    this.#twins = new TwinWatch(parts.tickMs);
  }

  /** Begins to dial, and to take connections. */
  start(handler: PeerLinksHandler): void {
    this.#handler = handler;
    for (const peer of this.#parts.addresses.keys()) {
      if (peer > this.#parts.identity.id) void this.#dial(peer);
    }
  }

  /** Closes every link; none is made any more. Idempotent. */
  stop(): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    for (const timer of this.#redials.values()) timer.cancel();
    for (const { link } of this.#links.values()) link.close('the member is stopping');
    for (const stranger of this.#strangers) stranger.terminate();
    this.#links.clear();
  }

  /**
   * Takes a connection that was made to this member. `check`: of the certificate that the other end has presented, where members know
   * each other by certificates.
   */
  accept(connection: Connection, check: CertificateCheck | null = null): void {
    if (this.#abort.signal.aborted || this.#strangers.size >= MAX_STRANGERS) {
      connection.handle({ message: () => undefined, closed: () => undefined });
      return connection.close({ code: CloseCode.goingAway, text: 'no links are taken now' });
    }
    const { identity, random } = this.#parts;
    const handshake = new AccepterHandshake(identity, random.bytes(NONCE_BYTES), check);
    this.#introduce(connection, handshake, () => undefined);
  }

  /** Ids of those that a link is up to. */
  get connected(): readonly number[] {
    return [...this.#links.keys()];
  }

  /** Version of the peer protocol on the last link of each member, up or not; nothing of members that had none. */
  get versions(): ReadonlyMap<number, number> {
    return this.#versions;
  }

  /** Members that have no link because their data are of another ensemble, with its id. */
  get foreign(): ReadonlyMap<number, string> {
    return this.#foreign;
  }

  /** Connections that have not proved yet who they are. */
  get unproven(): number {
    return this.#strangers.size;
  }

  /** Leaves with the next flush; goes nowhere if that link is not up any more. */
  send(peer: number, link: number, message: PeerMessage): void {
    const established = this.#current(peer, link);
    if (established === null) return;
    established.link.send(this.#encode(message, established.link.version), URGENT.has(message.type));
  }

  /** To be called once per turn. */
  flush(): void {
    this.#encoded.clear();
    for (const [peer, { link }] of this.#links) {
      link.flush();
      if (link.queuedBytes <= this.#parts.maxQueuedBytes) continue;
      this.#giveUp(peer, 'Peer link dropped: the other end takes in too little', {
        queuedBytes: link.queuedBytes,
      });
    }
  }

  /** Zab has no more use for that link. */
  close(peer: number, link: number, reason: string): void {
    const established = this.#current(peer, link);
    if (established === null) return;
    this.#parts.logger.warn('Peer link closed', { peer, reason });
    this.#links.delete(peer);
    established.link.terminate();
    this.#redial(peer);
  }

  /** The other member has sent a damaged snapshot, and is told so. */
  refuseSnapshot(peer: number, link: number, fault: string): void {
    const established = this.#current(peer, link);
    if (established === null) return;
    this.#links.delete(peer);
    established.link.close(
      `the snapshot is damaged: ${fault}`.slice(0, LONGEST_REASON),
      CloseCode.snapshotRefused,
    );
    this.#redial(peer);
  }

  /** The other member has broken the protocol of the members. */
  drop(peer: number): void {
    if (this.#links.has(peer)) this.#giveUp(peer, 'Peer link dropped', {});
  }

  /** Stops, and resumes, listening to everybody. */
  pause(): void {
    for (const { link } of this.#links.values()) link.pause();
  }

  resume(): void {
    for (const { link } of this.#links.values()) link.resume();
  }

  /** To be called a few times per `silenceMs`. After a pause of this process nobody's silence counts. */
  tick(now: number, isLate: boolean): void {
    const { ensembleId = '' } = this.#parts.identity;
    for (const [peer, established] of this.#links) {
      // A member that had no id when the link began has one by now, and the other end had another one.
      if (areForeign(ensembleId, established.ids?.ensembleId ?? '')) {
        this.#giveUp(peer, 'Peer link dropped: the other end has data of another ensemble', { ensembleId });
        continue;
      }
      established.link.keepAlive();
      if (isLate) established.heardAt = now;
      else if (now - established.heardAt > this.#parts.silenceMs) {
        this.#giveUp(peer, 'Peer link dropped: the other end is silent', {});
      }
    }
  }

  /** A message that goes to several members is encoded once for each version that they speak. */
  #encode(message: PeerMessage, version: number): Uint8Array {
    const known = this.#encoded.get(version) ?? new Map<PeerMessage, Uint8Array>();
    this.#encoded.set(version, known);
    let bytes = known.get(message);
    if (bytes === undefined) {
      bytes = this.#codec.encode(message, version);
      known.set(message, bytes);
    }
    return bytes;
  }

  #decode(bytes: Uint8Array, version: number): PeerMessage | string {
    try {
      return this.#codec.decode(bytes, version);
    } catch (error) {
      if (error instanceof PeerMessageError) return error.message;
      throw error;
    }
  }

  #current(peer: number, link: number): Established | null {
    const established = this.#links.get(peer);
    return established !== undefined && established.link.number === link ? established : null;
  }

  #giveUp(peer: number, message: string, fields: Readonly<Record<string, unknown>>): void {
    const { link } = this.#links.get(peer)!;
    this.#parts.logger.warn(message, { peer, ...fields });
    this.#links.delete(peer);
    link.terminate();
    this.#handler.disconnected(peer, link.number);
    this.#redial(peer);
  }

  async #dial(peer: number): Promise<void> {
    const { identity, addresses, dialer, clock, random } = this.#parts;
    this.#redials.delete(peer);
    const address = addresses.get(peer)!;
    const attempt = new AbortController();
    const giveUp = (): void => attempt.abort();
    const timer = clock.setTimer(HANDSHAKE_MS, giveUp);
    this.#abort.signal.addEventListener('abort', giveUp);
    try {
      const connection = await dialer.dial(address, { signal: attempt.signal });
      if (this.#abort.signal.aborted) return connection.terminate();
      const handshake = new DiallerHandshake(identity, peer, random.bytes(NONCE_BYTES));
      connection.send(handshake.hello);
      this.#introduce(connection, handshake, () => this.#redial(peer));
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.reports.failed(peer, error instanceof Error ? error.message : String(error));
      this.#refusals.note(`${peer}`, 'Peer cannot be reached', { peer, address, error });
      this.#redial(peer);
    } finally {
      timer.cancel();
      this.#abort.signal.removeEventListener('abort', giveUp);
    }
  }

  /** Dials again, later and later as long as it fails; the accepting end of a pair waits to be dialled. */
  #redial(peer: number): void {
    const { identity, clock, random } = this.#parts;
    if (this.#abort.signal.aborted || peer <= identity.id || this.#redials.has(peer)) return;
    const failures = this.#failures.get(peer) ?? 0;
    this.#failures.set(peer, failures + 1);
    const delayMs = Math.min(REDIAL_MIN_MS * 2 ** failures, REDIAL_MAX_MS) * (0.5 + random.next() / 2);
    this.#redials.set(
      peer,
      clock.setTimer(delayMs, () => void this.#dial(peer)),
    );
  }

  /** Both ends prove who they are; `failed` is called once if they do not. */
  #introduce(connection: Connection, handshake: PeerHandshake, failed: () => void): void {
    const remote = connection.remoteAddress;
    this.#strangers.add(connection);
    introduce(connection, handshake, {
      clock: this.#parts.clock,
      objection: (peer) => this.#objection(peer, connection, handshake),
      known: (peer, version) => {
        this.#strangers.delete(connection);
        this.reports.linked(peer, handshake.remoteSettings);
        return this.#establish(peer, version, connection, handshake.remote);
      },
      refused: (problem) => {
        this.#strangers.delete(connection);
        if (this.#abort.signal.aborted) return;
        this.#noteForeign(handshake.remote);
        if (handshake.claimed !== null) this.reports.failed(handshake.claimed, problem);
        // Members of one machine have one host: who it claims to be tells them apart.
        const whom = `${remote.replace(/:\d+$/, '')} ${handshake.remote?.member ?? ''}`;
        this.#refusals.note(whom, 'Peer link refused', { remote, problem });
        failed();
      },
      arrived: (link, frame) => this.#arrived(link, frame),
      lost: (link, reason) => this.#lost(link, reason),
    });
  }

  #noteForeign(remote: PeerHandshake['remote']): void {
    if (remote === null) return;
    const isForeign = areForeign(this.#parts.identity.ensembleId ?? '', remote.ensembleId);
    if (isForeign) this.#foreign.set(remote.member, remote.ensembleId);
    else this.#foreign.delete(remote.member);
  }

  #objection(peer: number, connection: Connection, { remote }: PeerHandshake): string | null {
    const established = this.#links.get(peer);
    if (established === undefined) return null;
    const { link, ids, heardAt } = established;
    const old = { directoryId: ids?.directoryId ?? '', address: link.remoteAddress, heardAt };
    const newcomer = { directoryId: remote?.directoryId ?? '', address: connection.remoteAddress };
    return this.#twins.objection(peer, old, newcomer, this.#parts.clock.now());
  }

  #establish(peer: number, version: number, connection: Connection, ids: DataIds | null): PeerLink {
    const { clock, logger } = this.#parts;
    const link = new PeerLink(peer, (this.#lastLink += 1), version, connection);
    const old = this.#links.get(peer)?.link;
    this.#links.set(peer, { link, ids, reader: new FrameReader(), heardAt: clock.now() });
    this.#foreign.delete(peer);
    this.#versions.set(peer, version);
    if (old !== undefined) {
      old.terminate();
      // What has come over it in part, as a snapshot does, is let go of.
      this.#handler.disconnected(peer, old.number);
    }
    this.#failures.delete(peer);
    this.#refusals.forget(`${peer}`);
    logger.info('Peer link established', {
      peer,
      remote: connection.remoteAddress,
      link: link.number,
      protocol: version,
    });
    this.#handler.connected(peer, link.number);
    return link;
  }

  #arrived(link: PeerLink, frame: Uint8Array): void {
    const established = this.#current(link.peer, link.number);
    if (established === null) return;
    established.heardAt = this.#parts.clock.now();
    const messages = established.reader.read(frame);
    if (messages === null) return this.#malformed(link, 'bytes that are no frame');
    for (const bytes of messages) {
      const message = this.#decode(bytes, link.version);
      if (typeof message === 'string') return this.#malformed(link, message);
      this.#handler.received(link.peer, link.number, message);
      if (this.#current(link.peer, link.number) === null) return;
    }
  }

  #malformed({ peer }: PeerLink, problem: string): void {
    this.#giveUp(peer, 'Peer link closed: the other end sent what cannot be read', { problem });
  }

  #lost(link: PeerLink, reason: CloseReason): void {
    if (this.#current(link.peer, link.number) === null) return;
    this.#links.delete(link.peer);
    const fields = { peer: link.peer, code: reason.code, reason: reason.text };
    if (reason.code === CloseCode.snapshotRefused) {
      this.#parts.logger.error('Another member refused the snapshot of this one', fields);
      this.#handler.snapshotRefused(link.peer);
    } else this.#parts.logger.info('Peer link lost', fields);
    this.#handler.disconnected(link.peer, link.number);
    this.#redial(link.peer);
  }
}
