import { QuorateError } from '../../../core/runtime/index.js';

/** A command that was typed wrong, or that cannot be carried out as things are; the message is all the user has to see. */
export class ShellError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ShellError';
  }
}

/** What ZooKeeper's shell says to the result codes it has a sentence for. The path follows. */
const SENTENCES: Readonly<Record<string, string>> = {
  NO_NODE: 'Node does not exist: ',
  NO_CHILDREN_FOR_EPHEMERALS: 'Ephemerals cannot have children: ',
  NODE_EXISTS: 'Node already exists: ',
  NOT_EMPTY: 'Node not empty: ',
  NOT_READ_ONLY: 'Not a read-only call: ',
  INVALID_ACL: 'Acl is not valid : ',
  NO_AUTH: 'Insufficient permission : ',
  BAD_ARGUMENTS: 'Arguments are not valid : ',
  BAD_VERSION: 'version No is not valid : ',
  QUOTA_EXCEEDED: 'Quota has exceeded : ',
};

/** What to tell the user of a command that failed. */
export function describeError(error: unknown): string {
  if (error instanceof QuorateError) {
    const sentence = SENTENCES[error.code];
    const { path } = error.fields;
    if (sentence === undefined || typeof path !== 'string') return error.message;
    // Arguments can be wrong in many ways; which one it was stands in the message only.
    return error.code === 'BAD_ARGUMENTS' ? `${sentence}${path}\n${error.message}` : `${sentence}${path}`;
  }
  return error instanceof Error ? error.message : String(error);
}
