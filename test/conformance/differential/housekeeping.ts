import {
  JuteWriter,
  OpCode,
  type ClientOp,
  type ReplyBodies,
  type RequestBodies,
} from '../../../core/protocol/index.js';
import type { Servers } from '../servers/index.js';
import { ROOT } from './step.js';
import { Wire } from './wire.js';

const NOBODY = { protocolVersion: 0, lastZxidSeen: 0n, readOnly: false, timeoutMs: 10_000 };
const QUOTA_ROOT = '/zookeeper/quota';
const CONFIG = '/zookeeper/config';
/** The first write leaves an ensemble's configuration in version 0, and that of a server that stands alone in 1. */
const LEVEL_VERSION = 1;

/** Removes what an earlier play has left, whoever it belongs to; returns the last zxid after that. */
export async function clearRoot(address: string): Promise<bigint> {
  const wire = new Wire(address);
  wire.connect({ ...NOBODY, sessionId: 0n, password: new Uint8Array(16) });
  await ask(wire, OpCode.auth, { type: 0, scheme: 'digest', auth: Buffer.from('super:admin') });
  await deleteAll(wire, ROOT);
  for (const name of await childrenOf(wire, QUOTA_ROOT)) await deleteAll(wire, `${QUOTA_ROOT}/${name}`);
  const { zxid } = await ask(wire, OpCode.closeSession, {});
  wire.destroy();
  return zxid;
}

/**
 * Takes out of the tree what an ensemble publishes of itself, for a comparison with a server that stands alone: afterwards
 * `/zookeeper/config` is empty and of the same version on both.
 */
export async function forgetEnsemble(servers: Servers): Promise<void> {
  const wire = new Wire(servers.addresses[0]!);
  wire.connect({ ...NOBODY, sessionId: 0n, password: new Uint8Array(16) });
  await ask(wire, OpCode.auth, { type: 0, scheme: 'digest', auth: Buffer.from('super:admin') });
  let version = -1;
  while (version < LEVEL_VERSION) {
    const { body } = await ask(wire, OpCode.setData, { path: CONFIG, data: new Uint8Array(0), version: -1 });
    if (body === null) throw new Error(`${servers.addresses[0]!} does not let its configuration be written`);
    version = body.stat.version;
  }
  await ask(wire, OpCode.closeSession, {});
  wire.destroy();
}

/** Ends a session that may have ended already. */
export async function closeSession(address: string, sessionId: bigint, password: Uint8Array): Promise<void> {
  const wire = new Wire(address);
  wire.connect({ ...NOBODY, sessionId, password });
  await wire.until((arrivals) => arrivals.length > 0);
  const [first] = wire.take();
  if (first?.type === 'connected' && first.response.timeoutMs > 0) await ask(wire, OpCode.closeSession, {});
  wire.destroy();
}

interface Answer<Op extends ClientOp> {
  readonly zxid: bigint;
  readonly body: ReplyBodies[Op] | null;
}

async function ask<Op extends ClientOp>(wire: Wire, op: Op, body: RequestBodies[Op]): Promise<Answer<Op>> {
  const segment = new JuteWriter();
  wire.add(segment, op, body);
  wire.send(segment);
  const isReply = ({ type }: { readonly type: string }): boolean => type === 'reply';
  await wire.until((arrivals) => arrivals.some(isReply));
  const reply = wire.take().find((arrival) => arrival.type === 'reply');
  if (reply === undefined) throw new Error('the connection for keeping house has ended');
  return { zxid: reply.header.zxid, body: reply.body as ReplyBodies[Op] | null };
}

async function childrenOf(wire: Wire, path: string): Promise<readonly string[]> {
  return (await ask(wire, OpCode.getChildren, { path, watch: false })).body?.children ?? [];
}

async function deleteAll(wire: Wire, path: string): Promise<void> {
  for (const name of await childrenOf(wire, path)) await deleteAll(wire, `${path}/${name}`);
  await ask(wire, OpCode.delete, { path, version: -1 });
}
