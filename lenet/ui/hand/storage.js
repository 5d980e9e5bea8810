// Where a visitor's drawings lie: in the browser's own database, or where it gives none, in memory
// until the page is left. Other tabs write there too, so what must not be lost is done in one
// transaction. This file knows nothing of what the records say.

const NAME = "lenet-hand"; // never changes: a new version finds what an older one kept
const DRAWINGS = "drawings"; // by their id
const STATE = "state"; // the rest, by name
const PATIENCE = 20_000; // milliseconds: some browsers in private mode never answer, and disks may be slow

/** There is no room for more drawings. */
export class Full extends Error {}

/**
 * @typedef {object} Storage
 * @property {boolean} lasts whether anything is there when the page is opened again
 * @property {() => Promise<unknown[]>} all the drawings
 * @property {(drawings: { id: string }[], most: number) => Promise<void>} put drawings, or other
 *   ones in their place by their id; where there would be more than `most`, put none and throw `Full`
 * @property {(ids: IDBValidKey[]) => Promise<void>} remove
 * @property {(key: string) => Promise<unknown>} read
 * @property {(key: string, change: (value: unknown) => unknown) => Promise<void>} update
 */

/** @returns {Promise<Storage>} */
export async function openStorage() {
  try {
    return new Database(await opened());
  } catch {
    return new Memory();
  }
}

/** @implements {Storage} */
export class Memory {
  lasts = false;
  /** @type {Map<IDBValidKey, { id: string }>} */
  #drawings = new Map();
  /** @type {Map<string, unknown>} */
  #state = new Map();

  async all() {
    return [...this.#drawings.values()];
  }

  /** @param {{ id: string }[]} drawings @param {number} most */
  async put(drawings, most) {
    const fresh = drawings.filter(({ id }) => !this.#drawings.has(id));
    if (this.#drawings.size + fresh.length > most) throw new Full();
    for (const drawing of drawings) this.#drawings.set(drawing.id, drawing);
  }

  /** @param {IDBValidKey[]} ids */
  async remove(ids) {
    for (const id of ids) this.#drawings.delete(id);
  }

  /** @param {string} key */
  async read(key) {
    return this.#state.get(key);
  }

  /** @param {string} key @param {(value: unknown) => unknown} change */
  async update(key, change) {
    this.#state.set(key, change(this.#state.get(key)));
  }
}

/** @implements {Storage} */
class Database {
  lasts = true;
  #database;

  /** @param {IDBDatabase} database */
  constructor(database) {
    this.#database = database;
    database.onversionchange = () => database.close();
  }

  async all() {
    return answer(this.#begin(DRAWINGS, "readonly").store.getAll());
  }

  /** @param {{ id: string }[]} drawings @param {number} most */
  async put(drawings, most) {
    const { store, done, abort } = this.#begin(DRAWINGS, "readwrite");
    const there = new Set(await answer(store.getAllKeys()));
    const fresh = drawings.filter(({ id }) => !there.has(id));
    if (there.size + fresh.length > most) {
      abort();
      throw new Full();
    }
    for (const drawing of drawings) store.put(drawing);
    await done;
  }

  /** @param {IDBValidKey[]} ids */
  async remove(ids) {
    const { store, done } = this.#begin(DRAWINGS, "readwrite");
    for (const id of ids) store.delete(id);
    await done;
  }

  /** @param {string} key */
  async read(key) {
    return answer(this.#begin(STATE, "readonly").store.get(key));
  }

  /** @param {string} key @param {(value: unknown) => unknown} change */
  async update(key, change) {
    const { store, done } = this.#begin(STATE, "readwrite");
    store.put(change(await answer(store.get(key))), key);
    await done;
  }

  /** @param {string} name @param {IDBTransactionMode} mode */
  #begin(name, mode) {
    const transaction = this.#database.transaction(name, mode);
    /** @type {Promise<void>} */
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    done.catch(() => {}); // writers wait for it and hear of a failure; readers need not
    return { store: transaction.objectStore(name), done, abort: () => transaction.abort() };
  }
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @returns {Promise<IDBDatabase>} */
async function opened() {
  const database = await open();
  const names = database.objectStoreNames;
  if (names.contains(DRAWINGS) && names.contains(STATE)) return database;
  database.close(); // somebody else's, of the same name
  await answer(indexedDB.deleteDatabase(NAME));
  return open();
}

/** @returns {Promise<IDBDatabase>} */
function open() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(DRAWINGS, { keyPath: "id" });
    request.result.createObjectStore(STATE);
  };
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("late")), PATIENCE));
  return Promise.race([answer(request), /** @type {Promise<never>} */ (late)]);
}
