/** Size of the id that every file of a directory carries, so that files of two members are never mixed. */
export const DIRECTORY_ID_BYTES = 16;
