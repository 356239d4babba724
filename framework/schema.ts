import { Ajv, type AnySchemaObject, type ErrorObject, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { stepsOf } from './config/difference.js';
import { stepsToSecret } from './config/secrets.js';

declare const described: unique symbol;

/** A JSON Schema (draft 7) of values of type `T`. The type parameter exists at compile time only. */
export type Schema<T = unknown> = Readonly<Record<string, unknown>> & {
  readonly [described]?: T;
};

/**
 * Says which type a JSON Schema describes, so that payloads are typed from the declaration to the handler:
 *
 * ```ts
 * const invoiceSchema = schema<Invoice>({ type: 'object', required: ['customerId'], properties: { … } });
 * ```
 */
export function schema<T>(definition: Readonly<Record<string, unknown>>): Schema<T> {
  return definition;
}

/**
 * A JSON Schema of which the type follows from what it says, for those who do not want to say it twice:
 *
 * ```ts
 * const invoiceSchema = schemaOf({ type: 'object', required: ['id'], properties: { id: { type: 'string' } } });
 * ```
 */
export function schemaOf<const Definition>(
  definition: Definition & Readonly<Record<string, unknown>>,
): Schema<Known<FromSchema<Definition extends JSONSchema ? Definition : never>>> {
  return definition;
}

/** Without what a schema allows beyond the properties that it names. */
type Known<T> = T extends readonly (infer Item)[]
  ? Known<Item>[]
  : T extends object
    ? { [Key in keyof T as string extends Key ? never : Key]: Known<T[Key]> }
    : T;

/** Why a value does not fit its schema: for each violation, where and what. */
export type Violations = readonly string[];

/** Checks a value, filling in the schema's defaults where it has none: the value is changed in place. */
export type Validator = (value: unknown) => Violations;

/**
 * Compiles a schema. Types are never coerced, all violations are reported, defaults are filled in, and
 * keywords that do not exist are refused.
 * @throws Error of ajv when the schema itself is not valid.
 */
export function compileSchema(definition: Schema): Validator {
  // One instance for each schema: two schemas with the same `$id` are no conflict here.
  const ajv = new Ajv({
    allErrors: true,
    coerceTypes: false,
    useDefaults: true,
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    logger: false,
  });
  ajvFormats.default(ajv);
  // Says that a value is not to be shown to people; it does not restrict what it may be.
  ajv.addKeyword({ keyword: 'secret', schemaType: 'boolean' });
  const validate: ValidateFunction = ajv.compile(definition as AnySchemaObject);
  return (value) => (validate(value) ? [] : violationsOf(validate.errors ?? [], definition));
}

function violationsOf(errors: readonly ErrorObject[], definition: Schema): Violations {
  return [...new Set(errors.map((error) => describe(error, definition)))];
}

/** Of a secret, where it is and which rule it breaks: neither what it may be nor names within it. */
function describe(error: ErrorObject, definition: Schema): string {
  const secret = stepsToSecret(definition, stepsOf(error.instancePath));
  if (secret !== null)
    return `${secret.length === 0 ? 'the value' : `/${secret.join('/')}`} is a secret that breaks the rule "${error.keyword}"`;
  const where = error.instancePath === '' ? 'the value' : error.instancePath;
  const allowed = error.keyword === 'enum' ? `: ${JSON.stringify(error.params['allowedValues'])}` : '';
  const extra =
    error.keyword === 'additionalProperties' ? `: ${String(error.params['additionalProperty'])}` : '';
  return `${where} ${error.message ?? error.keyword}${allowed}${extra}`;
}
