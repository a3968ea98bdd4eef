// The hot path: a prepared statement that has run before allocates nothing from the heap.
#include <cstdlib>
#include <new>

#include "sql_session.h"

namespace {
size_t allocations = 0;
}  // namespace

void* operator new(size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace cofork {
namespace {

class CountingReceiver final : public RowReceiver {
 public:
  void begin_rows(std::span<const ResultColumn>, std::span<const int16_t>) override {}
  void row(EvalContext&, const Datum* values, const bool*) override {
    last = datum_to_int32(values[0]);
    ++rows;
  }
  void complete(std::string_view) override {}
  void empty_query() override {}
  int rows = 0;
  int32_t last = 0;
};

void expect_no_allocation(std::string_view sql, std::span<const ParameterValue> values,
                          int32_t result) {
  in_session([&](TestSession& s) {
    Engine& engine = s.engine();
    engine.parse("p", sql, {});
    CountingReceiver receiver;
    size_t before = 0;
    for (int round = 0; round < 20; ++round) {
      if (round == 10) before = allocations;
      engine.bind("", "p", values, {});
      engine.execute("", 0, receiver);
      engine.sync();
    }
    EXPECT_EQ(allocations - before, 0u);
    EXPECT_EQ(receiver.rows, 20);
    EXPECT_EQ(receiver.last, result);
  });
}

TEST(SqlHotPath, PreparedConstantAllocatesNothing) {
  expect_no_allocation("select 1", {}, 1);
}

TEST(SqlHotPath, PreparedParameterAllocatesNothing) {
  ParameterValue value{"41"};
  expect_no_allocation("select $1::int + 1", {&value, 1}, 42);
}

}  // namespace
}  // namespace cofork
