import { ErrorCode, type Acl, type Stat, WatchEventType } from '../../../core/protocol/index.js';
import type { Arrival } from './wire.js';

/** What is known of a play so far that names what differs between two plays of the same steps. */
export interface Names {
  /** How many zxids there were until this one since the beginning, for what changes nothing not counted. */
  ordinalOf(zxid: bigint): bigint;
  sessionName(id: bigint): string;
}

/** One line for what has come from a server: everything in it that does not depend on time, place and session id. */
export function describeArrival(arrival: Arrival, names: Names): string {
  switch (arrival.type) {
    case 'closed':
      return 'closed';
    case 'connected': {
      const { protocolVersion, timeoutMs, sessionId, password, readOnly } = arrival.response;
      const isZero = password.every((byte) => byte === 0);
      const kind = `${password.length} ${isZero ? 'zeros' : 'bytes'}`;
      return `connected ${protocolVersion} ${timeoutMs} ${names.sessionName(sessionId)} ${kind} ${readOnly}`;
    }
    case 'event':
      return `event ${nameOf(WatchEventType, arrival.event.type)} ${arrival.event.path}`;
    default: {
      const { xid, zxid, err } = arrival.header;
      // The connection ends with it: nobody can make use of the zxid.
      if (err === ErrorCode.unimplemented && arrival.body === null) return `reply ${xid} unimplemented`;
      const head = `reply ${xid} ${zxidName(zxid, names)} ${nameOf(ErrorCode, err)}`;
      const body = arrival.body === null ? '' : ` ${describe(arrival.body, names)}`;
      return `${head}${body}${arrival.rest === 0 ? '' : ` and ${arrival.rest} bytes`}`;
    }
  }
}

function zxidName(zxid: bigint, names: Names): string {
  if (zxid <= 0n) return `${zxid}`;
  const ordinal = names.ordinalOf(zxid);
  return ordinal <= 0n ? 'before' : `+${ordinal}`;
}

function describe(body: unknown, names: Names): string {
  return JSON.stringify(body, (key, value: unknown) => {
    if (key === 'stat') return describeStat(value as Stat, names);
    if (key === 'data' && value !== null) return Buffer.from(value as Uint8Array).toString('latin1');
    // Sets: nobody promises an order.
    if (key === 'children' || key === 'ephemerals') return [...(value as string[])].sort();
    if (key === 'clientInfo' || key === 'acl')
      return (value as Acl[]).map((one) => JSON.stringify(one)).sort();
    return value;
  });
}

function describeStat(stat: Stat, names: Names): string {
  const zxids = [stat.czxid, stat.mzxid, stat.pzxid].map((zxid) => zxidName(zxid, names)).join(' ');
  const versions = `${stat.version} ${stat.cversion} ${stat.aversion}`;
  const owner = stat.ephemeralOwner === 0n ? 'nobody' : names.sessionName(stat.ephemeralOwner);
  return `${zxids} v ${versions} ${owner} ${stat.dataLength} bytes ${stat.numChildren} children ${times(stat)}`;
}

/** Of the times only what holds whatever the clock says. */
function times({ czxid, mzxid, ctime, mtime }: Stat): string {
  if (mtime < ctime) return 'modified before it was created';
  return czxid === mzxid && ctime !== mtime ? 'modified by nobody' : '';
}

function nameOf(table: Readonly<Record<string, number>>, code: number): string {
  return Object.keys(table).find((name) => table[name] === code) ?? `${code}`;
}
