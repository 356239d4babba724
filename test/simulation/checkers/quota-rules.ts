import { parentOf, type ModelNode } from './tree-model.js';

/** Znodes of a subtree, its top included, and the bytes of their data. */
interface Usage {
  readonly count: number;
  readonly bytes: number;
}

type Find = (path: string) => ModelNode | null;

/** Whether no hard quota of the path, or of one above it, forbids the growth. What does not grow is never refused. */
export function allows(find: Find, path: string, growth: Usage): boolean {
  for (let top = path; top !== '/'; top = parentOf(top)) {
    const data = find(`/zookeeper/quota${top}/zookeeper_limits`)?.data ?? null;
    if (data === null) continue;
    const limits = new TextDecoder().decode(data);
    const usage = usageOf(find, top);
    if (exceeds(growth.count, usage.count, hardLimit(limits, 'count'))) return false;
    if (exceeds(growth.bytes, usage.bytes, hardLimit(limits, 'byte'))) return false;
  }
  return true;
}

/** Counted one by one. */
function usageOf(find: Find, path: string): Usage {
  const node = find(path);
  if (node === null) return { count: 0, bytes: 0 };
  const below = node.children.map((name) => usageOf(find, `${path}/${name}`));
  return {
    count: below.reduce((sum, { count }) => sum + count, 1),
    bytes: below.reduce((sum, { bytes }) => sum + bytes, node.data?.length ?? 0),
  };
}

/** -1 for none. */
function hardLimit(limits: string, kind: 'count' | 'byte'): number {
  return Number(new RegExp(`${kind}HardLimit=(-?\\d+)`).exec(limits)?.[1] ?? -1);
}

function exceeds(growth: number, usage: number, limit: number): boolean {
  return growth > 0 && limit >= 0 && usage + growth > limit;
}
