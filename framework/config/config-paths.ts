import { describeValue, QuorateError } from '../../core/runtime/index.js';
import { isSegment } from '../segment.js';

const ROOT = '/config';
const SCHEMA_SUFFIX = '.schema';
const APPLIED_SUFFIX = '.applied';

/** Where one configuration lives: the value, its schema and who has applied it beside it, its history below it. */
export interface ConfigPaths {
  readonly root: string;
  readonly value: string;
  readonly schema: string;
  readonly history: string;
  readonly applied: string;
}

/** @throws QuorateError `CONFIG_NAME_INVALID` */
export function configPathsOf(name: string): ConfigPaths {
  const problem = configNameProblem(name);
  if (problem !== undefined)
    throw new QuorateError(
      'CONFIG_NAME_INVALID',
      `${describeValue(name)} cannot name a configuration: ${problem}`,
      {
        fields: { name },
      },
    );
  const value = `${ROOT}/${name}`;
  return {
    root: ROOT,
    value,
    schema: `${value}${SCHEMA_SUFFIX}`,
    history: `${value}/history`,
    applied: `${value}${APPLIED_SUFFIX}`,
  };
}

/** What is wrong with a name; undefined when nothing is. */
export function configNameProblem(name: string): string | undefined {
  if (typeof name !== 'string') return `it must be a text, not ${describeValue(name)}`;
  if (!isSegment(name)) return 'it must be one segment of a path';
  if (name.endsWith(SCHEMA_SUFFIX)) return `the ending ${SCHEMA_SUFFIX} is where schemas are kept`;
  if (name.endsWith(APPLIED_SUFFIX))
    return `the ending ${APPLIED_SUFFIX} is where it is kept who uses which version`;
  return undefined;
}
