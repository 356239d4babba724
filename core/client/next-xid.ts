/** The xid of a request is a positive 32-bit int; those below 0 belong to pings, events and the like. */
const MAX_XID = 0x7fffffff;

/** The xid behind `last`: from 1 on, and from 1 again behind the largest. */
export function nextXid(last: number): number {
  return last === MAX_XID ? 1 : last + 1;
}
