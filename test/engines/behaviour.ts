import type { Place } from './place.js';

/** What an application may rely on, as a function that fails if it does not hold. It ends what it starts, or leaves that to the place. */
export type Behaviour = (place: Place) => Promise<void>;

/** By the sentence that it shows to be true. */
export type Behaviours = Readonly<Record<string, Behaviour>>;
