import type { ConnectionFigures } from '../../../../core/server/index.js';
import { OpCode } from '../../../../core/protocol/index.js';
import { fullVersion } from './version.js';
import { decimal, hex, lines, modeOf, type WordContext } from './word-context.js';

/** Short names of operations, in `cons`. */
const OP_LETTERS: ReadonlyMap<number, string> = new Map<number, string>([
  [OpCode.create, 'CREA'],
  [OpCode.create2, 'CREA'],
  [OpCode.createContainer, 'CREA'],
  [OpCode.createTtl, 'CREA'],
  [OpCode.delete, 'DELE'],
  [OpCode.exists, 'EXIS'],
  [OpCode.getData, 'GETD'],
  [OpCode.setData, 'SETD'],
  [OpCode.getAcl, 'GETA'],
  [OpCode.setAcl, 'SETA'],
  [OpCode.getChildren, 'GETC'],
  [OpCode.getChildren2, 'GETC'],
  [OpCode.sync, 'SYNC'],
  [OpCode.ping, 'PING'],
  [OpCode.multi, 'MULT'],
  [OpCode.multiRead, 'MLTR'],
  [OpCode.reconfig, 'RECO'],
  [OpCode.checkWatches, 'CHKW'],
  [OpCode.removeWatches, 'REMW'],
  [OpCode.setWatches, 'SETW'],
  [OpCode.setWatches2, 'STW2'],
  [OpCode.addWatch, 'ADDW'],
  [OpCode.getEphemerals, 'GETE'],
  [OpCode.getAllChildrenNumber, 'GETACN'],
  [OpCode.whoAmI, 'HOMI'],
  [OpCode.closeSession, 'CLOS'],
]);

export function srvr(context: WordContext): string {
  return head(context) + figures(context);
}

export function stat(context: WordContext): string {
  const clients = context.inspection.connections().map((connection) => ` ${brief(connection)})`);
  return head(context) + lines('Clients:', ...clients, '') + figures(context);
}

export function cons({ inspection }: WordContext): string {
  return lines(...inspection.connections().map((connection) => ` ${full(connection)})`), '');
}

function head(context: WordContext): string {
  const version = `Zookeeper version: ${fullVersion()}`;
  if (!context.health.readOnly) return lines(version);
  return lines(version, 'READ-ONLY mode; serving only read-only clients');
}

function figures(context: WordContext): string {
  const { inspection, health } = context;
  const { latency, received, sent, connections, outstanding, znodes, proposalBytes } = inspection.figures();
  const mode = modeOf(context);
  const text = lines(
    `Latency min/avg/max: ${Math.floor(latency.minMs)}/${decimal(latency.avgMs)}/${Math.floor(latency.maxMs)}`,
    `Received: ${received}`,
    `Sent: ${sent}`,
    `Connections: ${connections}`,
    `Outstanding: ${outstanding}`,
    `Zxid: ${health.zxid}`,
    `Mode: ${mode}`,
    `Node count: ${znodes}`,
  );
  if (mode !== 'leader' || proposalBytes === null) return text;
  const { last, min, max } = proposalBytes;
  return text + lines(`Proposal sizes last/min/max: ${last}/${min}/${max}`);
}

function brief({ remoteAddress, outstanding, received, sent }: ConnectionFigures): string {
  return `/${remoteAddress}[1](queued=${outstanding},recved=${received},sent=${sent}`;
}

function full(connection: ConnectionFigures): string {
  const { sessionId, timeoutMs, establishedAt, lastOp, lastXid, lastZxid, lastReplyAt, latency } = connection;
  if (sessionId === 0n) return brief(connection);
  const session = [
    `sid=${hex(sessionId)}`,
    `lop=${lastOp === null ? 'SESS' : (OP_LETTERS.get(lastOp) ?? 'NA')}`,
    `est=${establishedAt}`,
    `to=${timeoutMs}`,
    ...(lastXid >= 0 ? [`lcxid=0x${lastXid.toString(16)}`] : []),
    `lzxid=${hex(lastZxid)}`,
    `lresp=${lastReplyAt}`,
    `llat=${Math.floor(latency.lastMs)}`,
    `minlat=${Math.floor(latency.minMs)}`,
    `avglat=${Math.floor(latency.avgMs)}`,
    `maxlat=${Math.floor(latency.maxMs)}`,
  ];
  return [brief(connection), ...session].join(',');
}
