import { ErrorCode, OpCode, ServerFeature } from '../protocol/index.js';

/** Operations that a server has announced if it has them. */
const ANNOUNCED: Readonly<Partial<Record<number, number>>> = {
  [OpCode.getChildrenPage]: ServerFeature.childrenPages,
};

/** Whether a server that announces `features` may be sent this operation: one that does not know it ends the connection. */
export function isOffered(op: number, features: number): boolean {
  const feature = ANNOUNCED[op];
  return feature === undefined || (features & feature) !== 0;
}

/** What a server has to be, or to have switched on, for operations that not every one carries out. */
const NEEDED: Readonly<Partial<Record<number, string>>> = {
  [OpCode.create2]: 'ZooKeeper 3.5 or newer',
  [OpCode.createContainer]: 'ZooKeeper 3.5.3 or newer',
  [OpCode.createTtl]:
    'ZooKeeper 3.5.3 or newer with extendedTypesEnabled=true on every server (a member of Quorate without --no-ttl-nodes)',
  [OpCode.removeWatches]: 'ZooKeeper 3.5 or newer',
  [OpCode.getEphemerals]: 'ZooKeeper 3.6 or newer',
  [OpCode.getAllChildrenNumber]: 'ZooKeeper 3.6 or newer',
  [OpCode.addWatch]: 'ZooKeeper 3.6 or newer',
  [OpCode.setWatches2]: 'ZooKeeper 3.6 or newer',
  [OpCode.whoAmI]: 'ZooKeeper 3.7 or newer',
  [OpCode.getChildrenPage]: 'a member of Quorate',
};

/** For an operation that the server refused as unknown or switched off: what it takes. Undefined for any other refusal. */
export function whatIsMissing(op: number, err: ErrorCode): string | undefined {
  const needed = NEEDED[op];
  if (err !== ErrorCode.unimplemented || needed === undefined) return undefined;
  return `the server does not know this operation or has it switched off; it takes ${needed}`;
}
