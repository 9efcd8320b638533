/** Views for people who ask in SQL; Tape itself never reads them. */
export const views = "";
