// See index_sort.h.
#include "access/index_sort.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "support/error.h"

namespace cofork {

namespace {

constexpr const char* kTemporaryFolder = "base/pgsql_tmp";
constexpr size_t kWriteBytes = size_t{256} << 10;
constexpr size_t kLeastReadBytes = size_t{64} << 10;

Error file_error(const char* verb, const std::string& path, ssize_t error) {
  int number = static_cast<int>(-error);
  return Error(sqlstate_for_file_errno(number), "could not {} file \"{}\": {}", verb, path,
               errno_text(number));
}

}  // namespace

TemporaryFile::TemporaryFile() {
  for (int number = 0;; ++number) {
    std::string path =
        fmt::format("{}/pgsql_tmp{}.{}", kTemporaryFolder, this_task().pid(), number);
    int flags = O_RDWR | O_CREAT | O_EXCL;
    int error = file_.open(path, flags, file_create_mode());
    if (error == -ENOENT) {
      // The first one that needs the folder makes it; somebody may have been faster.
      task_files().mkdir(kTemporaryFolder, directory_create_mode());
      error = file_.open(path, flags, file_create_mode());
    }
    if (error == 0) return;
    if (error != -EEXIST) throw file_error("create temporary", path, error);
  }
}

TemporaryFile::~TemporaryFile() {
  if (file_.is_open()) task_files().unlink(file_.path());
}

void TemporaryFile::append(const void* bytes, size_t count) {
  ssize_t written =
      file_.write_at(bytes, count, static_cast<off_t>(size_), WaitEventId::kBufFileWrite);
  if (written < 0) throw file_error("write to", file_.path(), written);
  size_ += count;
}

void TemporaryFile::read(void* bytes, size_t count, uint64_t offset) const {
  ssize_t got = file_.read_at(bytes, count, static_cast<off_t>(offset), WaitEventId::kBufFileRead);
  if (got < 0) throw file_error("read", file_.path(), got);
  if (static_cast<size_t>(got) != count) {
    throw Error(sqlstate::kDataCorrupted, "could not read file \"{}\": read only {} of {} bytes",
                file_.path(), got, count);
  }
}

namespace {

/// By the key columns from `first` on.
int compare_from(const IndexShape& shape, const IndexTuple& a, const IndexTuple& b, int first) {
  for (int i = first; i < shape.key_count(); ++i) {
    const IndexKey& key = shape.keys[static_cast<size_t>(i)];
    bool a_null, b_null;
    Datum left = index_attribute(a, shape, i, a_null);
    Datum right = index_attribute(b, shape, i, b_null);
    if (a_null || b_null) {
      if (a_null != b_null) return a_null == key.nulls_first ? -1 : 1;
      continue;
    }
    int result = key.compare(left, right);
    if (result != 0) return key.descending ? -result : result;
  }
  return 0;
}

}  // namespace

int index_compare_keys(const IndexShape& shape, const IndexTuple& a, const IndexTuple& b) {
  return compare_from(shape, a, b, 0);
}

IndexSort::IndexSort(const IndexShape& shape, size_t memory_bytes)
    : shape_(shape), memory_bytes_(memory_bytes), arena_(kWriteBytes) {}
IndexSort::~IndexSort() = default;

IndexSort::Entry IndexSort::entry_of(const IndexTuple& tuple) const {
  Entry entry{.tuple = &tuple, .first = 0, .first_is_null = false};
  entry.first = index_attribute(tuple, shape_, 0, entry.first_is_null);
  return entry;
}

bool IndexSort::is_before(const Entry& a, const Entry& b) const {
  const IndexKey& key = shape_.keys[0];
  int result = 0;
  if (a.first_is_null || b.first_is_null) {
    if (a.first_is_null != b.first_is_null) return a.first_is_null == key.nulls_first;
  } else {
    result = key.compare(a.first, b.first);
    if (result != 0) return key.descending ? result > 0 : result < 0;
  }
  result = compare_from(shape_, *a.tuple, *b.tuple, 1);
  if (result != 0) return result < 0;
  return a.tuple->t_tid < b.tuple->t_tid;
}

void IndexSort::add(const IndexTuple& tuple) {
  size_t bytes = tuple.size() + sizeof(Entry);
  if (used_bytes_ + bytes > memory_bytes_ && !entries_.empty()) write_run();
  used_bytes_ += bytes;
  entries_.push_back(entry_of(*copy_index_tuple(tuple, arena_)));
}

void IndexSort::sort_memory() {
  std::sort(entries_.begin(), entries_.end(),
            [this](const Entry& a, const Entry& b) { return is_before(a, b); });
}

void IndexSort::write_run() {
  this_task().check_interrupts();
  sort_memory();
  if (file_ == nullptr) file_ = std::make_unique<TemporaryFile>();
  uint64_t start = file_->size();
  std::vector<char> buffer;
  buffer.reserve(kWriteBytes + IndexTuple::kSizeMask);
  for (const Entry& entry : entries_) {
    buffer.insert(buffer.end(), entry.tuple->bytes(), entry.tuple->bytes() + entry.tuple->size());
    if (buffer.size() < kWriteBytes) continue;
    file_->append(buffer.data(), buffer.size());
    buffer.clear();
  }
  file_->append(buffer.data(), buffer.size());
  runs_.push_back({.offset = start, .end = file_->size(), .buffer = {}});
  entries_.clear();
  arena_.reset();
  used_bytes_ = 0;
}

void IndexSort::sort() {
  if (runs_.empty()) {
    sort_memory();
    return;
  }
  if (!entries_.empty()) write_run();
  size_t buffer_bytes = std::max(kLeastReadBytes, memory_bytes_ / runs_.size());
  for (Run& run : runs_) {
    run.buffer.resize(buffer_bytes);
    if (load_next(run)) heap_.push_back(&run);
  }
  auto is_after = [this](const Run* a, const Run* b) { return is_before(b->entry, a->entry); };
  std::make_heap(heap_.begin(), heap_.end(), is_after);
}

/// The run's next tuple, whole in its buffer; false at its end.
bool IndexSort::load_next(Run& run) {
  for (;;) {
    size_t there = run.filled - run.position;
    if (there >= sizeof(IndexTuple)) {
      auto& tuple = *reinterpret_cast<IndexTuple*>(run.buffer.data() + run.position);
      if (there >= tuple.size()) {
        run.position += tuple.size();
        run.entry = entry_of(tuple);
        return true;
      }
    }
    if (run.offset == run.end) return false;
    std::copy(run.buffer.begin() + static_cast<std::ptrdiff_t>(run.position),
              run.buffer.begin() + static_cast<std::ptrdiff_t>(run.filled), run.buffer.begin());
    size_t count = std::min<uint64_t>(run.buffer.size() - there, run.end - run.offset);
    file_->read(run.buffer.data() + there, count, run.offset);
    run.offset += count;
    run.position = 0;
    run.filled = there + count;
  }
}

const IndexTuple* IndexSort::next() {
  if (runs_.empty()) return next_ < entries_.size() ? entries_[next_++].tuple : nullptr;
  auto is_after = [this](const Run* a, const Run* b) { return is_before(b->entry, a->entry); };
  if (front_is_used_) {
    // The tuple handed out last stood in its run's buffer until now.
    std::pop_heap(heap_.begin(), heap_.end(), is_after);
    if (load_next(*heap_.back())) {
      std::push_heap(heap_.begin(), heap_.end(), is_after);
    } else {
      heap_.pop_back();
    }
  }
  front_is_used_ = !heap_.empty();
  return front_is_used_ ? heap_.front()->entry.tuple : nullptr;
}

}  // namespace cofork
