/** A whole ensemble in one process, on virtual clock, network and disk. */
export {};
