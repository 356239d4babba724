import type { ChildrenPage as WirePage } from '../protocol/index.js';
import type { ChildrenPage } from './client.js';
import { BadArgumentsError } from './errors.js';

/** Where a page of children ended: the zxid that created the last child, and its name. */
export interface ChildrenCursor {
  readonly after: bigint;
  readonly lastName: string;
}

const BEGINNING: ChildrenCursor = { after: -1n, lastName: '' };
/** Names of a page if the caller does not say; members give no more. */
const MOST_NAMES = 10_000;
const FORM = /^([0-9a-f]{1,16})\/([^/]*)$/;

function formatCursor({ after, lastName }: ChildrenCursor): string {
  return `${BigInt.asUintN(64, after).toString(16)}/${lastName}`;
}

/** Without a text: the beginning. Throws `BadArgumentsError` on what `formatCursor` does not give. */
export function parseCursor(text: string | undefined, path: string): ChildrenCursor {
  if (text === undefined) return BEGINNING;
  const [, zxid, lastName] = (typeof text === 'string' ? FORM.exec(text) : null) ?? [];
  if (zxid !== undefined) return { after: BigInt.asIntN(64, BigInt(`0x${zxid}`)), lastName: lastName! };
  const what = 'after must be `next` of the page before';
  throw new BadArgumentsError({ operation: 'getChildrenPage', path, what });
}

/** Throws `BadArgumentsError`. */
export function checkedLimit(limit: number | undefined, path: string): number {
  const most = limit ?? MOST_NAMES;
  if (Number.isInteger(most) && most >= 1) return Math.min(most, MOST_NAMES);
  const what = `limit must be a whole number from 1, not ${String(limit)}`;
  throw new BadArgumentsError({ operation: 'getChildrenPage', path, what });
}

/** The page as its caller gets it; `cursor` is what it was asked for with. */
export function pageOf({ children, stat, last, hasMore }: WirePage, cursor: ChildrenCursor): ChildrenPage {
  const lastName = children.at(-1) ?? cursor.lastName;
  return { children, stat, next: hasMore ? formatCursor({ after: last, lastName }) : null };
}
