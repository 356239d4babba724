import { readFile } from 'node:fs/promises';
import { QuorateError } from '../../core/runtime/index.js';
import type { Schema } from '../schema.js';
import { parseConfigJson } from './config-json.js';
import { isObject, overlay } from './overlay.js';

/** Where a configuration comes from besides its znode, as declared. */
export interface LayerOptions {
  /** JSON file, below the znode: what the znode says wins. */
  readonly file?: string | undefined;
  /** Environment variables by the field that they set, such as `{ 'smtp.host': 'SMTP_HOST' }`; above the znode. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** A file or a variable that cannot be used. Code `CONFIG_LAYER_INVALID`. */
export class ConfigLayerError extends QuorateError {
  constructor(source: string, problem: string, cause?: unknown) {
    super(
      'CONFIG_LAYER_INVALID',
      `${source} cannot be used as configuration: ${problem}. Correct it or take it away.`,
      {
        fields: { source },
        cause,
      },
    );
  }
}

/**
 * The local layers of one configuration. From below to above: defaults of the class, file, znode, environment: what is nearer to
 * the machine and harder to change by accident is stronger, and the fleet's value is above what was shipped.
 */
export class Layers {
  readonly below: Readonly<Record<string, unknown>>;
  readonly above: Readonly<Record<string, unknown>>;
  /** The fields that the environment sets, such as `smtp.host`: what the znode says of them has no effect here. */
  readonly overridden: readonly string[];

  private constructor(below: Readonly<Record<string, unknown>>, above: ReadonlyMap<string, unknown>) {
    this.below = below;
    this.above = nested(above);
    this.overridden = [...above.keys()];
  }

  /** @throws ConfigLayerError when the file or a variable cannot be read as what it sets; a missing file is an empty one. */
  static async read(
    { file, env }: LayerOptions,
    { schema, environment }: { readonly schema: Schema | undefined; readonly environment: Environment },
  ): Promise<Layers> {
    const above = new Map<string, unknown>();
    for (const [field, variable] of Object.entries(env ?? {})) {
      const text = environment[variable];
      if (text !== undefined) above.set(field, readVariable(variable, text, typeOf(schema, field)));
    }
    return new Layers(file === undefined ? {} : await readLayer(file), above);
  }

  /** The fleet's value between the layers; one that is no object is left for others to refuse. */
  around(fleetValue: unknown): unknown {
    return isObject(fleetValue) ? overlay(overlay(this.below, fleetValue), this.above) : fleetValue;
  }
}

async function readLayer(file: string): Promise<Readonly<Record<string, unknown>>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ConfigLayerError(file, (error as Error).message, error);
  }
  const parsed = parseConfigJson(text);
  if ('problem' in parsed) throw new ConfigLayerError(file, `it is not JSON: ${parsed.problem}`);
  if (isObject(parsed.value)) return parsed.value;
  throw new ConfigLayerError(file, 'it holds no JSON object');
}

/** Text is taken as it is, everything else has to be written as JSON. */
function readVariable(variable: string, text: string, type: unknown): unknown {
  if (type === 'string') return text;
  const parsed = parseConfigJson(text);
  if ('value' in parsed) return parsed.value;
  if (type === undefined) return text;
  throw new ConfigLayerError(
    `the environment variable ${variable}`,
    `it is to hold JSON of type ${JSON.stringify(type)}; ${parsed.problem}`,
  );
}

/** What the schema says of a field; undefined if it says nothing simple. */
function typeOf(schema: Schema | undefined, field: string): unknown {
  let part: unknown = schema;
  for (const step of field.split('.')) {
    const properties = isObject(part) ? part['properties'] : undefined;
    part = isObject(properties) ? properties[step] : undefined;
  }
  return isObject(part) ? part['type'] : undefined;
}

function nested(fields: ReadonlyMap<string, unknown>): Readonly<Record<string, unknown>> {
  let whole: unknown = {};
  for (const [field, value] of fields) {
    const part = field.split('.').reduceRight<unknown>((inner, step) => ({ [step]: inner }), value);
    whole = overlay(whole, part);
  }
  return whole as Record<string, unknown>;
}
