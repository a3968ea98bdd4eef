// See file_cache.h.
#include "storage/file_cache.h"

#include <sys/stat.h>

#include <cerrno>

#include "storage/relation_files.h"
#include "wal/checkpoint_request.h"

namespace cofork {

size_t FileCache::KeyHash::operator()(const SegmentKey& key) const {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;
  uint64_t hash = ((static_cast<uint64_t>(key.file.number) << 32) | key.file.database) * kOdd;
  hash ^= (static_cast<uint64_t>(key.segment) << 34) ^ (static_cast<uint64_t>(key.fork) << 32) ^
          key.file.tablespace;
  hash *= kOdd;
  return hash ^ (hash >> 32);
}

FileCache::FileCache() : files_(task_files()), budget_(this_task().slot<DescriptorBudget>()) {}

FileCache::~FileCache() {
  // The thread ends, and the server with it: there is nobody to give the budget back to.
  for (Entry& entry : entries_) files_.close(entry.fd);
}

FileCache& file_cache() {
  return this_task().thread_state<FileCache>();
}

FileCache::Entry* FileCache::open(const SegmentKey& key, int flags, int& error) {
  forget_removed_files();
  if (auto found = by_key_.find(key); found != by_key_.end()) {
    Entries::iterator entry = found->second;
    if (entry != entries_.begin()) entries_.splice(entries_.begin(), entries_, entry);
    ++entry->users;
    return &*entry;
  }
  // (A thread without anything to close gets one beyond the limit: the reserve covers it.)
  while (budget_ != nullptr && !budget_->take()) {
    if (close_oldest()) continue;
    budget_->take_anyway();
    break;
  }
  std::string path = relation_path(key.file, key.fork, key.segment);
  int fd = files_.open(path, O_RDWR | flags, file_create_mode());
  while ((fd == -EMFILE || fd == -ENFILE) && close_oldest()) {
    fd = files_.open(path, O_RDWR | flags, file_create_mode());
  }
  if (fd < 0) {
    if (budget_ != nullptr) budget_->give_back();
    error = fd;
    return nullptr;
  }
  entries_.push_front({key, fd, 1, false});
  by_key_.emplace(key, entries_.begin());
  return &entries_.front();
}

void FileCache::leave(Entry& entry) {
  if (--entry.users > 0 || !entry.stale) return;
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (&*at == &entry) {
      close(at);
      return;
    }
  }
}

/// Closes it, or lets its last user do that. Either way nobody finds it any more.
FileCache::Entries::iterator FileCache::close(Entries::iterator entry) {
  if (!entry->stale) by_key_.erase(entry->key);
  if (entry->users > 0) {
    entry->stale = true;
    return std::next(entry);
  }
  files_.close(entry->fd);
  if (budget_ != nullptr) budget_->give_back();
  return entries_.erase(entry);
}

bool FileCache::close_oldest() {
  for (auto entry = entries_.end(); entry != entries_.begin();) {
    --entry;
    if (entry->users > 0) continue;
    close(entry);
    return true;
  }
  return false;
}

void FileCache::close_fork(const RelationFile& file, ForkNumber fork, uint32_t first_segment) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const SegmentKey& key = entry->key;
    bool meant = key.file == file && key.fork == fork && key.segment >= first_segment;
    entry = meant ? close(entry) : std::next(entry);
  }
}

void FileCache::close_all() {
  for (auto entry = entries_.begin(); entry != entries_.end();) entry = close(entry);
}

void FileCache::forget_removed_files() {
  uint32_t removed = checkpointer_shared().files_removed.load(std::memory_order_acquire);
  if (removed == removed_seen_) return;
  removed_seen_ = removed;
  close_all();
}

off_t OpenSegment::size() const {
  struct stat st;
  int error = files().fstat(fd(), st);
  return error < 0 ? error : st.st_size;
}

}  // namespace cofork
