// See logger.h.
#include "roles/logger.h"

#include <cerrno>
#include <csignal>
#include <optional>
#include <string>

#include "log/chunk.h"
#include "log/log.h"
#include "model/model.h"
#include "roles/log_files.h"
#include "settings/settings.h"
#include "shmem/task_table.h"

namespace cofork {
namespace {

constexpr const char* kLoggerTitle = "postgres: logger ";
constexpr size_t kReadBytes = 2 * kChunkBytes;  // READ_BUF_SIZE

class Logger {
 public:
  explicit Logger(Task& task)
      : task_(task),
        context_(task, "logger"),
        pipe_(task.os().files.reopen_pipe_for_reading(context_.log.channel->read_fd)),
        files_(task) {
    // An open file of its own: a coroutine that is killed leaves its wait set behind, and the next
    // logger could not watch the same one.
    if (pipe_ >= 0) task_.adopt_fd(pipe_);
  }

  void run() {
    if (pipe_ < 0) {
      throw Error(sqlstate_for_file_errno(-pipe_), "could not read from logger pipe: {}",
                  errno_text(-pipe_))
          .fatal();
    }
    if (task_.slot<SharedMemory>() != nullptr) enter_task_table(kLoggerRow, BackendType::kLogger);
    task_.set_title(kLoggerTitle);
    listen_to_signals();
    // From here on nobody holds the pipe open on our behalf: its end means that all have gone.
    task_.model().release_standard_error();
    files_.open_all();
    context_.log.own_files = &files_;
    auto waits = task_.model().make_wait_set(task_);
    waits->add_latch(task_.latch());
    waits->add_socket(pipe_, kWaitReadable);
    do {
      reset_latch(task_.latch());
      serve_interrupts();
      show_again();
      files_.rotate_if_due();
      WaitOccurred occurred[2];
      int count = waits->wait(files_.next_rotation_ms(), occurred, WaitEventId::kSysLoggerMain);
      for (int i = 0; i < count; ++i) {
        if ((occurred[i].flags & kWaitReadable) != 0) read_pipe();
      }
    } while (!pipe_has_ended_);
    log(Severity::kDebug1, "logger shutting down");
    context_.log.own_files = nullptr;
  }

 private:
  void listen_to_signals() {
    task_.on_signal(SIGHUP, Task::handle_reload);
    for (int signo : {SIGINT, SIGTERM, SIGQUIT, SIGALRM, SIGPIPE, SIGUSR2}) {
      task_.on_signal(signo, Task::ignore_signal);
    }
    task_.on_signal(SIGUSR1, [](Task& task, int) {
      task.raise_interrupt(kInterruptUser1);
      set_latch(task.latch());
    });
    task_.unblock_signals();
  }

  void serve_interrupts() {
    uint32_t bits = task_.interrupts();
    task_.clear_interrupt(bits);
    if ((bits & kInterruptReload) != 0) {
      for (const ErrorData& message : reload_settings(context_.settings)) report(message);
      files_.settings_changed();
    }
    if ((bits & kInterruptUser1) != 0) files_.rotate_now();
  }

  /// After a crash cycle of the others.
  void show_again() {
    if (task_.card() == nullptr) return;
    if (enter_task_table_again(kLoggerRow, BackendType::kLogger)) task_.set_title(kLoggerTitle);
  }

  void read_pipe() {
    char bytes[kReadBytes];
    ssize_t got = task_.os().files.read(pipe_, bytes, sizeof bytes);
    auto deliver = [this](LogDestination destination, std::string_view text) {
      files_.append(destination, text);
    };
    if (got == -EAGAIN) return;
    if (got < 0) {
      log(Severity::kLog, "could not read from logger pipe: {}",
          errno_text(static_cast<int>(-got)));
      return;
    }
    if (got == 0) {
      pipe_has_ended_ = true;
      assembler_.flush(deliver);
    } else {
      assembler_.take({bytes, static_cast<size_t>(got)}, deliver);
    }
    files_.flush();
  }

  Task& task_;
  ChildContext context_;
  const int pipe_;
  LogFiles files_;
  ChunkAssembler assembler_;
  bool pipe_has_ended_ = false;
};

}  // namespace

void logger_main(Task& task) {
  std::optional<ErrorData> failure;
  Logger logger(task);
  try {
    logger.run();
  } catch (const Error& error) {
    failure = error.data();
  }
  if (failure) {
    report(*failure);
    proc_exit(1);
  }
}

}  // namespace cofork
