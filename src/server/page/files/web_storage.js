// The browser's storages, or memory in their place: private windows and strict settings may refuse even to name them. What
// is in memory is gone with the page.

class SafeStorage {
  constructor(name) {
    this.memory = new Map();
    try {
      this.kept = globalThis[name];
      this.kept.getItem('');
    } catch {
      this.kept = null;
    }
  }

  /** Whether what is stored outlives the page. */
  get lasts() {
    return this.kept !== null;
  }

  get(key) {
    return this.kept ? this.kept.getItem(key) : this.memory.get(key) ?? null;
  }

  /** Gives whether there was room. */
  set(key, value) {
    if (!this.kept) return Boolean(this.memory.set(key, value));
    try {
      this.kept.setItem(key, value);
      return true;
    } catch {
      return false;
    }
  }

  remove(key) {
    if (this.kept) this.kept.removeItem(key);
    else this.memory.delete(key);
  }

  keys() {
    return this.kept ? Object.keys(this.kept) : [...this.memory.keys()];
  }
}

/** What stays in this browser, and what stays in this tab until it is closed. */
export const local = new SafeStorage('localStorage'), session = new SafeStorage('sessionStorage');
