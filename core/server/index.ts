/** The shell around the pure rooms: one member of an ensemble. */
export {};
