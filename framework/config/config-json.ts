import { JsonTextError, parseJson } from '../../core/runtime/index.js';

/** How deeply lists and objects of a configuration may be nested, with what it refers to put in. */
export const MOST_LEVELS = 100;

/** Parses the JSON of a configuration, or says what is wrong with it, without quoting it: it may hold a secret. */
export function parseConfigJson(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: parseJson(text, { maxDepth: MOST_LEVELS }) };
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    return { problem: error.message };
  }
}
