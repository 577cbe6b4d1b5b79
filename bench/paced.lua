-- Each connection waits 10 ms between an answer and its next request: a steady rate, as long as answers are quick.
local folder = debug.getinfo(1, "S").source:match("@(.*/)")
dofile(folder .. "summary.lua")
delay = function() return 10 end
