/** Which organization this browser acts in. Without one the api takes the only one there is. */
const store = "astralog.organization";

export const readOrganization = (): string | null => localStorage.getItem(store);
export const setOrganization = (id: string | null): void =>
  id === null ? localStorage.removeItem(store) : localStorage.setItem(store, id);
