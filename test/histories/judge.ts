import { OpCode } from '../../core/protocol/index.js';
import { Conversation, type Knowledge } from '../simulation/checkers/conversation.js';
import { EndLedger } from '../simulation/checkers/end-ledger.js';
import { hex, Violation } from '../simulation/checkers/referee.js';
import { SessionLedger } from '../simulation/checkers/session-ledger.js';
import { isSession, TreeModel } from '../simulation/checkers/tree-model.js';
import type { Contradiction, History, Rule } from './history.js';
import { isWithTtl, wrongRemoval } from './expiry-rule.js';
import { PacketReader } from './packets.js';
import { NumberRule } from './number-rule.js';
import { mergeLogs, type CommittedSequence } from './sequence.js';
import { SessionRule } from './session-rule.js';

/**
 * What in a recorded history cannot be true; empty if nothing contradicts. The logs of the members say which transactions there are; a
 * naive model of the tree replays them, and every packet of every connection is held against it.
 */
export function judge(history: History): readonly Contradiction[] {
  const { sequence, contradictions } = mergeLogs(history);
  const { model, misfit } = replay(sequence);
  return [
    ...history.exits.map((text): Contradiction => ({ rule: 'members', text, at: null })),
    ...contradictions,
    ...misfit,
    ...differingTrees(history),
    // What does not fit the model says nothing about connections.
    ...(misfit.length > 0 ? [] : new TrafficTrial(history, sequence, model).contradictions()),
  ];
}

function replay(sequence: CommittedSequence): {
  readonly model: TreeModel;
  readonly misfit: readonly Contradiction[];
} {
  const model = new TreeModel();
  const misfit: Contradiction[] = [];
  for (const { zxid, txn } of sequence.list) {
    if (txn === null) continue;
    const wrong = txn.op === OpCode.deleteContainer ? wrongRemoval(model, zxid, txn) : null;
    if (wrong !== null) misfit.push({ rule: 'expiry', text: wrong, at: null });
    const found = violationOf('replay', null, () => model.apply(zxid, txn));
    if (found !== null) return { model, misfit: [...misfit, found] };
  }
  return { model, misfit };
}

function differingTrees({ finals }: History): readonly Contradiction[] {
  const [first, ...others] = finals;
  return others
    .filter(({ zxid, digest }) => zxid !== first!.zxid || digest !== first!.digest)
    .map(({ member, zxid, digest }) => ({
      rule: 'members',
      text: `members ${first!.member} and ${member} end with other trees: ${first!.digest} at ${first!.zxid}, ${digest} at ${zxid}`,
      at: null,
    }));
}

/** Null if the look finds nothing. Errors that are no violation are errors of the checkers, and pass through. */
function violationOf(rule: Rule, at: number | null, look: () => void): Contradiction | null {
  try {
    look();
    return null;
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { rule, text: error.message, at };
  }
}

/** The traffic of a history, against the model of its transactions. */
class TrafficTrial {
  readonly #history: History;
  readonly #sequence: CommittedSequence;
  readonly #model: TreeModel;
  readonly #sessions: SessionLedger;
  readonly #found: Contradiction[] = [];
  /** Connections of which something was found are not looked at any more. */
  readonly #conversations = new Map<number, Conversation | null>();
  /** Sessions of such connections: what they have asked for is not known. */
  readonly #brokenSessions = new Set<bigint>();
  readonly #knowledge: Knowledge;
  #now = 0;

  constructor(history: History, sequence: CommittedSequence, model: TreeModel) {
    this.#history = history;
    this.#sequence = sequence;
    this.#model = model;
    this.#sessions = new SessionLedger({ model, ghost: sequence, fastestRate: 1 });
    this.#knowledge = {
      ghost: sequence,
      model,
      sessions: this.#sessions,
      ends: new EndLedger(),
      now: () => this.#now,
      wasEndProposed: () => false,
    };
  }

  contradictions(): readonly Contradiction[] {
    this.#learnEnds();
    const { traffic, root } = this.#history;
    const packets = new PacketReader();
    const sessionRule = new SessionRule(this.#model, this.#sequence);
    const numberRule = new NumberRule();
    for (const [index, each] of traffic.entries()) {
      this.#now = each.at;
      let sessionId = 0n;
      for (const packet of packets.read(each, index)) {
        this.#add(violationOf('session', index, () => sessionRule.saw(packet)));
        numberRule.saw(packet);
        sessionId = packet.sessionId;
      }
      const isIntact = this.#converse(index);
      if (!isIntact) this.#brokenSessions.add(sessionId);
    }
    for (const sessionId of this.#model.sessions.keys()) {
      if (this.#brokenSessions.has(sessionId)) continue;
      this.#add(violationOf('session', null, () => this.#sessions.concludeSession(sessionId)));
    }
    this.#add(...numberRule.contradictions(), ...leftOver(this.#model, this.#sequence.end, root));
    return this.#found;
  }

  /** When the leader ended sessions that were silent. */
  #learnEnds(): void {
    for (const entry of this.#sequence.list) {
      const { zxid, txn } = entry;
      if (txn === null) continue;
      if (txn.op === OpCode.closeSession && txn.cxid === 0) this.#sessions.expiryProposed(zxid, txn.time);
      this.#add(violationOf('session', null, () => this.#sessions.delivered(entry)));
    }
  }

  /** False if the connection has just been found to contradict. */
  #converse(index: number): boolean {
    const traffic = this.#history.traffic[index]!;
    const { connection, client } = traffic;
    let conversation = this.#conversations.get(connection);
    if (conversation === null) return true;
    if (conversation === undefined) {
      conversation = new Conversation(client, this.#knowledge);
      this.#conversations.set(connection, conversation);
    }
    const talk = conversation;
    const found = violationOf('connection', index, () => {
      if (traffic.type === 'closed') talk.closed(traffic.code, traffic.text);
      else if (traffic.type === 'sent') talk.sent(traffic.bytes);
      else talk.received(traffic.bytes);
    });
    if (found === null) return true;
    this.#conversations.set(connection, null);
    this.#add(found);
    return false;
  }

  #add(...found: readonly (Contradiction | null)[]): void {
    for (const each of found) if (each !== null) this.#found.push(each);
  }
}

function leftOver(model: TreeModel, end: bigint, root: string): Contradiction[] {
  const found: Contradiction[] = [];
  for (const path of model.paths()) {
    const node = path.startsWith(`${root}/`) ? model.at(path, end) : null;
    if (node === null) continue;
    if (isSession(node.owner))
      found.push({
        rule: 'leftover',
        text: `${path} is left of session ${hex(node.owner)}, whose client is gone`,
        at: null,
      });
    if (isWithTtl(node))
      found.push({ rule: 'leftover', text: `${path} is left beyond its time to live`, at: null });
  }
  return found;
}
