// What a reborn postmaster inherits survives its way through text.
#include "postmaster/carry.h"

#include <gtest/gtest.h>

namespace cofork {
namespace {

TEST(CarriedState, SurvivesEncodingWhateverItHolds) {
  CarriedState state;
  state.start_time_us = 1795450410123456;
  state.data_directory = "/data/with blank\\and\nnewline";
  state.interlock = {0x00a7812f, 32808, nullptr};
  state.listeners = {{5, PeerAddress::Family::kIpv4, "127.0.0.1"},
                     {6, PeerAddress::Family::kUnix, "/tmp/a b/.s.PGSQL.5432"}};
  state.lock_files = {"postmaster.pid", "/tmp/a b/.s.PGSQL.5432.lock"};
  state.log_pipe = 7;
  state.settings = {{"port", SettingSource::kFile, "5433"},
                    {"log_line_prefix", SettingSource::kCommandLine, "%m [%p]\n\\n "},
                    {"search_path", SettingSource::kEnvironment, ""}};

  auto back = decode_carried_state(encode_carried_state(state));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->start_time_us, state.start_time_us);
  EXPECT_EQ(back->data_directory, state.data_directory);
  EXPECT_EQ(back->interlock.key, state.interlock.key);
  EXPECT_EQ(back->interlock.id, state.interlock.id);
  ASSERT_EQ(back->listeners.size(), 2u);
  EXPECT_EQ(back->listeners[0].fd, 5);
  EXPECT_EQ(back->listeners[1].family, PeerAddress::Family::kUnix);
  EXPECT_EQ(back->listeners[1].text, state.listeners[1].text);
  EXPECT_EQ(back->lock_files, state.lock_files);
  EXPECT_EQ(back->log_pipe, 7);
  EXPECT_EQ(back->settings, state.settings);
  EXPECT_EQ(carried_descriptors(*back), (std::vector{5, 6, 7}));
}

TEST(CarriedState, ForeignTextIsNotUnderstood) {
  for (const char* wrong : {"", "hello\n", "cofork-carry-1", "cofork-carry-1\nnonsense 1\n",
                            "cofork-carry-1\nlistener x\n"}) {
    EXPECT_FALSE(decode_carried_state(wrong).has_value()) << '"' << wrong << '"';
  }
}

}  // namespace
}  // namespace cofork
